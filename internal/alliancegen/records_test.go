package alliancegen_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yilian/yilian/internal/alliancegen"
)

// messages splits a batch the way its interface document says.
func messages(b []byte) [][]byte {
	var out [][]byte
	for _, part := range bytes.Split(b, []byte("MSH|"))[1:] {
		out = append(out, append([]byte("MSH|"), part...))
	}
	return out
}

func TestRecordsLieWhereTheLedgerSays(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		perFile := map[string]int{}
		for _, r := range a.Ledger.Records {
			perFile[r.File]++
			raw := a.File(r.File)
			switch {
			case raw == nil:
				t.Fatalf("seed %d: no file %q", seed, r.File)
			case strings.HasSuffix(r.File, ".hl7"):
				all := messages(raw)
				if r.Position < 1 || r.Position > len(all) {
					t.Fatalf("seed %d: %s has no message %d", seed, r.File, r.Position)
				}
				head := strings.Split(strings.Split(string(all[r.Position-1]), "\r")[0], "|")
				if head[8] != r.Kind || head[9] != r.Key {
					t.Errorf("seed %d: message %d of %s is %s %s, want %s %s", seed, r.Position, r.File, head[8], head[9], r.Kind, r.Key)
				}
			case strings.HasSuffix(r.File, ".csv"):
				lines := strings.Split(decode(t, raw), "\n")
				for _, kv := range strings.Fields(r.Key) {
					_, v, _ := strings.Cut(kv, "=")
					rest := strings.Join(lines[r.Position-1:], "\n")
					row, err := csv.NewReader(strings.NewReader(rest)).Read()
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Contains(row, v) {
						t.Errorf("seed %d: line %d of %s has no %s", seed, r.Position, r.File, kv)
					}
				}
			case strings.HasSuffix(r.File, ".xlsx"), strings.HasSuffix(r.File, ".xls"):
				for _, kv := range strings.Fields(r.Key) {
					name, v, _ := strings.Cut(kv, "=")
					row := sheetRow(t, alliancegen.File{Path: r.File, Bytes: raw}, r.Kind, r.Position)
					if row[name] != v {
						t.Errorf("seed %d: row %d of %s %s has no %s", seed, r.Position, r.File, r.Kind, kv)
					}
				}
			case strings.HasSuffix(r.File, ".json"):
				var doc struct{ MsgID, MsgType string }
				if err := json.Unmarshal(raw, &doc); err != nil {
					t.Fatal(err)
				}
				if doc.MsgID != r.Key || doc.MsgType != r.Kind {
					t.Errorf("seed %d: %s is %s %s, want %s %s", seed, r.File, doc.MsgType, doc.MsgID, r.Kind, r.Key)
				}
			}
		}
		for _, f := range a.Deliveries() {
			want := 1
			switch {
			case strings.HasSuffix(f.Path, ".hl7"):
				want = len(messages(f.Bytes))
			case strings.HasSuffix(f.Path, ".csv"):
				rows, err := csv.NewReader(strings.NewReader(decode(t, f.Bytes))).ReadAll()
				if err != nil {
					t.Fatalf("seed %d: %s: %v", seed, f.Path, err)
				}
				want = len(rows) - 1
			case ofTownship(f):
				want = 0
				for _, s := range tabs(t, f) {
					want += len(s.rows)
				}
			}
			if perFile[f.Path] != want {
				t.Errorf("seed %d: the ledger knows %d records of %s, which has %d", seed, perFile[f.Path], f.Path, want)
			}
		}
	}
}

func TestEncodingsAreReallyGB18030(t *testing.T) {
	a := generate(1)
	truthful := a.Ledger.Trap("truthful-utf8")
	lying := map[string]bool{}
	for _, w := range a.Ledger.Trap("lying-msh18") {
		lying[w] = true
	}
	missing := map[string]bool{}
	for _, w := range a.Ledger.Trap("missing-msh18") {
		missing[w] = true
	}
	trail := map[byte]int{}
	for _, f := range a.Deliveries() {
		switch {
		case strings.HasSuffix(f.Path, ".json"):
			if !utf8.Valid(f.Bytes) {
				t.Errorf("%s is not UTF-8", f.Path)
			}
			continue
		case !strings.HasSuffix(f.Path, ".hl7") && !strings.HasSuffix(f.Path, ".csv"):
			continue // workbooks and XML say their encoding themselves
		case strings.HasSuffix(f.Path, ".csv"):
			if bytes.HasPrefix(f.Bytes, []byte("\xef\xbb\xbf")) {
				t.Errorf("%s begins with a byte order mark", f.Path)
			}
			if text := decode(t, f.Bytes); len([]rune(text)) != len(f.Bytes) && utf8.Valid(f.Bytes) {
				t.Errorf("%s has Chinese text in UTF-8", f.Path)
			}
			continue
		}
		for i, m := range messages(f.Bytes) {
			where := fmt.Sprintf("%s#%d", f.Path, i+1)
			declared := ""
			if head := strings.Split(string(bytes.Split(m, []byte("\r"))[0]), "|"); len(head) > 17 {
				declared = head[17]
			}
			if utf8.Valid(m) != slices.Contains(truthful, where) {
				t.Errorf("%s: UTF-8 is %v", where, utf8.Valid(m))
			}
			if lying[where] && declared != "UNICODE UTF-8" || missing[where] && declared != "" {
				t.Errorf("%s declares %q", where, declared)
			}
			for j := 0; j+1 < len(m); j++ {
				if m[j] >= 0x81 && m[j] < 0xff {
					if strings.IndexByte(`|^\~`, m[j+1]) >= 0 {
						trail[m[j+1]]++
					}
					j++
				}
			}
		}
	}
	for _, c := range []byte(`|^\~`) {
		if trail[c] == 0 {
			t.Errorf("no character has the trail byte %c", c)
		}
	}
	if len(truthful) == 0 {
		t.Error("no message is truthfully UTF-8")
	}
}

// Every number the ledger states must stand in some record of its institution, and
// nothing that a laboratory answers too early may be marked as in time.
func TestFactsStandInTheRecords(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		text := map[string]string{}
		order := map[string]int{}
		reports := map[string]int{}
		for i, f := range a.Deliveries() {
			inst := strings.SplitN(strings.TrimPrefix(f.Path, "deliveries/"), "-", 2)[1]
			for _, id := range []string{alliancegen.City, alliancegen.County, alliancegen.Lab, alliancegen.Township} {
				if !strings.HasPrefix(inst, id) {
					continue
				}
				body := allText(t, f)
				text[id] += body
				for _, p := range a.Ledger.Persons {
					for _, o := range p.Orders {
						key := o.Institution + o.Number
						if _, seen := order[key]; !seen && o.Institution == id && strings.Contains(body, o.Number) &&
							(strings.Contains(f.Path, "HIS_SQD") || strings.Contains(body, "ORC|NW|"+o.Number) || id == alliancegen.Township) {
							order[key] = i
						}
					}
					for _, r := range p.Reports {
						key := r.Institution + r.Number
						if _, seen := reports[key]; !seen && r.Institution == id && strings.Contains(body, r.Number) {
							reports[key] = i
						}
					}
				}
			}
		}
		has := func(institution, number, what string) {
			if institution != alliancegen.Community && !strings.Contains(text[institution], number) {
				t.Errorf("seed %d: %s %s of %s stands in no record", seed, what, number, institution)
			}
		}
		for _, p := range a.Ledger.Persons {
			for _, q := range p.Patients {
				has(q.Institution, q.ID, "patient")
				for _, id := range q.Identifiers {
					has(q.Institution, id.Sent, id.Kind)
				}
			}
			for _, v := range p.Visits {
				has(v.Institution, v.Number, "visit")
			}
			for _, o := range p.Orders {
				has(o.Institution, o.Number, "order")
			}
			for _, x := range p.Prescriptions {
				has(x.Institution, x.Number, "prescription")
			}
			for _, x := range p.Referrals {
				has(x.Institution, x.Number, "referral")
			}
			for _, x := range p.Appointments {
				has(x.Institution, x.Number, "appointment")
			}
			for _, r := range p.Reports {
				has(r.Institution, r.Number, "report")
				if r.States[len(r.States)-1] != r.Status {
					t.Errorf("seed %d: report %s ends as %s, not %s", seed, r.Number, r.States[len(r.States)-1], r.Status)
				}
				for _, res := range r.Results {
					has(r.Institution, res.Item.Code, "item")
				}
				if r.Order == nil {
					continue
				}
				at, known := order[r.Order.Institution+r.Order.Number]
				if known != r.OrderKnown {
					t.Errorf("seed %d: report %s: order arrives is %v", seed, r.Number, known)
				}
				if late := at > reports[r.Institution+r.Number]; known && late != r.OrderLate {
					t.Errorf("seed %d: report %s: order arrives later is %v", seed, r.Number, late)
				}
			}
		}
	}
}

// A code in use must stand in the tables that map writers work from.
func TestCodesInUseAreDocumented(t *testing.T) {
	known := map[string]map[string]alliancegen.Code{}
	for inst, tables := range alliancegen.Codes() {
		for _, table := range tables {
			rows := map[string]alliancegen.Code{}
			for _, c := range table.Rows {
				if _, twice := rows[c.Code]; twice {
					t.Errorf("%s %s has %q twice", inst, table.Name, c.Code)
				}
				rows[c.Code] = c
			}
			known[inst+" "+table.Name] = rows
		}
	}
	for _, seed := range seeds {
		l := generate(seed).Ledger
		unmapped := map[string]bool{}
		for _, w := range l.Trap("unmapped-code") {
			unmapped[w] = true
		}
		check := func(institution, table string, c alliancegen.Coded) {
			row, ok := known[institution+" "+table][c.Code]
			if !ok {
				t.Errorf("seed %d: %s %s has no code %q", seed, institution, table, c.Code)
			} else if row.Target != c.Standard {
				t.Errorf("seed %d: %s %s %q is %q, the ledger says %q", seed, institution, table, c.Code, row.Target, c.Standard)
			}
		}
		for _, p := range l.Persons {
			for _, v := range p.Visits {
				check(v.Institution, "departments", v.Department)
				for _, sign := range v.Vitals {
					if v.Institution == alliancegen.Township {
						check(v.Institution, "wide-items", sign.Item)
					}
				}
				for _, dx := range v.Diagnoses {
					check(v.Institution, "diagnoses", dx.Coded)
				}
				if _, ok := known[v.Institution+" visit-class"][v.LocalClass]; !ok {
					t.Errorf("seed %d: no visit class %q", seed, v.LocalClass)
				}
			}
			for _, o := range p.Orders {
				check(o.Institution, "order-types", o.Item)
			}
			for _, x := range p.Prescriptions {
				check(x.Institution, "drugs", x.Drug)
			}
			for _, r := range p.Reports {
				check(r.Institution, "order-types", r.Item)
				if r.Specimen.Code != "" {
					check(r.Institution, "specimens", r.Specimen)
				}
				missing := 0
				for _, res := range r.Results {
					table := "lab-items"
					switch {
					case r.Institution == alliancegen.Township && (r.Kind == "ecg" || strings.HasPrefix(r.Number, "NC")):
						table = "wide-items"
					case r.Kind == "ecg":
						table = "ecg-items"
					case r.Kind == "pathology":
						table = "pathology-items"
					case res.Isolate > 0 && res.Value.Code == "":
						table = "antibiotics"
					case res.Isolate > 0:
						continue
					}
					if _, ok := known[r.Institution+" "+table][res.Item.Code]; !ok && unmapped["report "+r.Institution+"/"+r.Number] {
						missing++
						continue
					}
					check(r.Institution, table, res.Item)
				}
				if unmapped["report "+r.Institution+"/"+r.Number] && missing != 1 {
					t.Errorf("seed %d: report %s has %d unmapped codes, want 1", seed, r.Number, missing)
				}
			}
		}
	}
}

// Of the records of one key, those that must be applied get newer as they arrive;
// an older one is superseded, an equal row or message a duplicate.
func TestFatesFollowFromStamps(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		fate := map[string]string{}
		for _, r := range a.Ledger.Records {
			fate[fmt.Sprintf("%s#%d", r.File, r.Position)] = r.Fate
		}
		newest := map[string]string{} // key → stamp applied
		applied := map[string]bool{}  // whole records seen
		check := func(where, key, stamp, whole string) {
			want := alliancegen.Committed
			switch {
			case applied[key+whole] && stamp == newest[key] || stamp == "" && applied[key+whole]:
				want = alliancegen.Duplicate
			case stamp < newest[key]:
				want = alliancegen.Superseded
			}
			if got := fate[where]; got != want {
				t.Errorf("seed %d: %s is %s, by its stamp it is %s", seed, where, got, want)
			}
			if want == alliancegen.Committed {
				newest[key] = stamp
				applied[key+whole] = true
			}
		}
		for _, f := range a.Deliveries() {
			switch {
			case strings.HasSuffix(f.Path, ".hl7"):
				for i, m := range messages(f.Bytes) {
					where := fmt.Sprintf("%s#%d", f.Path, i+1)
					segs := strings.Split(decode(t, m), "\r")
					head := strings.Split(segs[0], "|")
					if !strings.HasPrefix(head[8], "ADT") {
						if applied[string(m)] != (fate[where] == alliancegen.Duplicate) {
							t.Errorf("seed %d: %s is %s", seed, where, fate[where])
						}
						applied[string(m)] = true
						continue
					}
					for _, s := range segs {
						if strings.HasPrefix(s, "PID|") {
							check(where, "patient "+strings.Split(s, "|")[3], head[6], string(m))
						}
					}
				}
			case ofTownship(f):
				for _, tab := range tabs(t, f) {
					for _, n := range slices.Sorted(maps.Keys(tab.rows)) {
						row := tab.rows[n]
						where := recordOf(a, f.Path, tab.kind, n)
						if row["修改时间"] == "" {
							continue // follows its report
						}
						key, whole := tab.kind, []string{}
						for _, k := range keyColumns[tab.kind] {
							key += " " + row[k]
						}
						for name, v := range row {
							whole = append(whole, name+"="+v)
						}
						slices.Sort(whole)
						at := fmt.Sprintf("%s %s#%d", f.Path, tab.kind, n)
						fate[at] = where.Fate
						check(at, key, row["修改时间"], strings.Join(whole, "|"))
					}
				}
			case strings.HasSuffix(f.Path, ".csv"):
				r := csv.NewReader(strings.NewReader(decode(t, f.Bytes)))
				header, err := r.Read()
				if err != nil {
					t.Fatal(err)
				}
				stampAt := slices.Index(header, "XGSJ")
				if stampAt < 0 {
					continue
				}
				for {
					row, err := r.Read()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					line, _ := r.FieldPos(0)
					keys := map[string][]string{"HIS_HZXX": {"HZID"}, "HIS_JZXX": {"JZLSH"}, "HIS_SQD": {"SQDH"}, "HIS_CF": {"CFH", "XH"}, "HIS_ZZ": {"ZZDH"}, "LIS_BG": {"BGDH"}, "RIS_BG": {"BGDH"}}
					table := strings.TrimSuffix(f.Path[strings.LastIndex(f.Path, "/")+1:], ".csv")
					key := table
					for _, k := range keys[table] {
						key += " " + row[slices.Index(header, k)]
					}
					sorted := slices.Clone(row)
					slices.Sort(sorted)
					check(fmt.Sprintf("%s#%d", f.Path, line), key, row[stampAt], strings.Join(sorted, "|"))
				}
			}
		}
	}
}

// sheetRow is a row of the sheet whose name begins as kind.
func sheetRow(t *testing.T, f alliancegen.File, kind string, position int) map[string]string {
	t.Helper()
	for _, s := range tabs(t, f) {
		if s.kind == kind {
			return s.rows[position]
		}
	}
	return nil
}

// recordOf is the ledger's record of a row.
func recordOf(a *alliancegen.Alliance, path, kind string, position int) alliancegen.Record {
	for _, r := range a.Ledger.Records {
		if r.File == path && r.Kind == kind && r.Position == position {
			return r
		}
	}
	return alliancegen.Record{}
}
