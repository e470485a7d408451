package alliancegen_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/internal/alliancegen"
)

// endState is what the last applied record of each key says, read with nothing but
// the interface documents. The story changes truth and then sends it; a change that
// was never sent would make the ledger ask for what no gateway can know.
type endState struct {
	rows     map[string]map[string]string // county: "TABLE key" → cells
	items    map[string][][4]string       // report → code, value, unit, flag
	people   map[string][]string          // city: MR → PID
	visits   map[string][]string          // city: visit → PV1
	events   map[string]string            // city: visit → last event
	orders   map[string]string            // city: order → control and status
	states   map[string]string            // report → status as sent
	findings map[string]string            // report → findings, conclusion
	docs     map[string]labDocument
	papers   map[string][]string // report → OBX-3 and OBX-5 of what is attached
	studies  map[string][]string // report → OBX-5 of what is said about its study
	numbers  map[string]string   // report → accession or pathology number
	wards    map[string]bool     // city: departments and wards of PV1, PRD, AIG
	staff    map[string]string   // city: number → name
}

type labDocument struct {
	Patient struct {
		Name string `json:"姓名"`
		Sex  string
	}
	Report struct {
		Status, ReportNo string
	}
	Items []struct {
		ItemCode, Unit, ResultFlag string
		Result                     json.RawMessage
	}
	Cultures []struct {
		Name       string `json:"菌名"`
		Antibiotic []struct {
			Code   string `json:"抗生素代码"`
			Result string `json:"结果"`
		} `json:"药敏"`
	}
}

var unescape = strings.NewReplacer(`\F\`, "|", `\S\`, "^", `\T\`, "&", `\R\`, "~", `\E\`, `\`, `\.br\`, "\n", `\X0D\`, "\n")

func readEnd(t *testing.T, a *alliancegen.Alliance) *endState {
	t.Helper()
	s := &endState{
		rows: map[string]map[string]string{}, items: map[string][][4]string{}, people: map[string][]string{}, visits: map[string][]string{},
		events: map[string]string{}, orders: map[string]string{}, states: map[string]string{}, findings: map[string]string{}, docs: map[string]labDocument{},
		papers: map[string][]string{}, studies: map[string][]string{}, numbers: map[string]string{},
		wards: map[string]bool{}, staff: map[string]string{},
	}
	dead := map[string]bool{}
	for _, r := range a.Ledger.Records {
		if r.Fate != alliancegen.Committed {
			dead[fmt.Sprintf("%s#%d", r.File, r.Position)] = true
		}
	}
	for _, f := range a.Deliveries() {
		switch {
		case strings.HasSuffix(f.Path, ".csv"):
			s.readTable(t, f, dead)
		case strings.HasSuffix(f.Path, ".hl7"):
			for i, m := range messages(f.Bytes) {
				if !dead[fmt.Sprintf("%s#%d", f.Path, i+1)] {
					s.readMessage(decode(t, m))
				}
			}
		case ofTownship(f):
			for _, r := range a.Ledger.Records {
				if r.File == f.Path && r.Fate == alliancegen.Committed {
					s.readRow(r.Kind, sheetRow(t, f, r.Kind, r.Position))
				}
			}
		case strings.HasSuffix(f.Path, ".json"):
			var d labDocument
			if err := json.Unmarshal(f.Bytes, &d); err != nil {
				t.Fatal(err)
			}
			s.docs[d.Report.ReportNo] = d
		}
	}
	return s
}

func (s *endState) readTable(t *testing.T, f alliancegen.File, dead map[string]bool) {
	t.Helper()
	table := strings.TrimSuffix(f.Path[strings.LastIndex(f.Path, "/")+1:], ".csv")
	keys := map[string][]string{"HIS_HZXX": {"HZID"}, "HIS_JZXX": {"JZLSH"}, "HIS_ZD": {"JZLSH", "ZDXH"}, "HIS_GM": {"HZID", "GMYDM"}, "HIS_SQD": {"SQDH"}, "HIS_CF": {"CFH", "XH"}, "HIS_ZZ": {"ZZDH"}, "LIS_BG": {"BGDH"}, "LIS_BGXM": {"BGDH", "XH"}, "RIS_BG": {"BGDH"}, "HIS_KS": {"KSDM"}, "HIS_ZG": {"ZGGH"}}[table]
	r := csv.NewReader(strings.NewReader(decode(t, f.Bytes)))
	header, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := r.Read()
		if err != nil {
			break
		}
		if line, _ := r.FieldPos(0); dead[fmt.Sprintf("%s#%d", f.Path, line)] {
			continue
		}
		key := table
		for _, k := range keys {
			key += " " + row[slices.Index(header, k)]
		}
		if s.rows[key] == nil {
			s.rows[key] = map[string]string{}
		}
		for i, name := range header {
			s.rows[key][name] = strings.TrimRight(row[i], " ")
		}
	}
}

func (s *endState) readMessage(m string) {
	var event, visit, report, control string
	for seg := range strings.SplitSeq(strings.TrimSuffix(m, "\r"), "\r") {
		f := append(strings.Split(seg, "|"), make([]string, 50)...)
		s.mentions(f)
		switch f[0] {
		case "MSH":
			event = f[8]
		case "PID":
			mr, _, _ := strings.Cut(f[3], "^")
			if strings.HasPrefix(event, "ADT") {
				s.people[mr] = f
			}
		case "PV1":
			visit, _, _ = strings.Cut(f[19], "^")
			if strings.HasPrefix(event, "ADT") && visit != "" {
				s.visits[visit], s.events[visit] = f, event
			}
		case "ORC":
			control = f[1] + f[5]
			n, _, _ := strings.Cut(f[2], "^")
			s.orders[n] = control
		case "OBR":
			report, _, _ = strings.Cut(f[3], "^")
			if report != "" {
				s.states[report], s.items[report], s.findings[report] = f[25], nil, ""
				s.papers[report], s.studies[report], s.numbers[report] = nil, nil, f[18]+f[20]
			}
		case "OBX":
			code, _, _ := strings.Cut(f[3], "^")
			switch {
			case f[2] == "ED":
				s.papers[report] = append(s.papers[report], f[3]+"^"+f[5])
				continue
			case f[2] == "RP" || code == "113014" || strings.HasPrefix(code, "YX_"):
				s.studies[report] = append(s.studies[report], f[5])
				continue
			}
			if f[2] == "TX" {
				s.findings[report] += strings.ReplaceAll(unescape.Replace(strings.ReplaceAll(f[5], "~", "\n")), "\r", "\n") + "§"
				continue
			}
			v := f[5]
			switch f[2] {
			case "SN":
				v = strings.ReplaceAll(v, "^", "")
			case "CE":
				v = strings.Split(v, "^")[1]
			}
			s.items[report] = append(s.items[report], [4]string{code, unescape.Replace(v), unescape.Replace(f[6]), f[8]})
		}
	}
}

func TestLedgerIsTheEndStateOfTheRecords(t *testing.T) {
	for _, seed := range seeds {
		for _, d := range differences(t, generate(seed)) {
			t.Errorf("seed %d: %s", seed, d)
		}
	}
}

func TestEndStateFindsPlantedFaults(t *testing.T) {
	for name, plant := range map[string]func(*alliancegen.Ledger){
		"phone":      func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Phone = "12000000000" },
		"visit":      func(l *alliancegen.Ledger) { l.Persons[0].Visits[1].Status = "cancelled" },
		"diagnosis":  func(l *alliancegen.Ledger) { l.Persons[0].Visits[0].Diagnoses[1].Code = "J18.900" },
		"order":      func(l *alliancegen.Ledger) { l.Persons[0].Orders[0].Status = "revoked" },
		"referral":   func(l *alliancegen.Ledger) { l.Persons[0].Referrals[0].LocalStatus = "3" },
		"report":     func(l *alliancegen.Ledger) { l.Persons[0].Reports[0].Status = "corrected" },
		"value":      func(l *alliancegen.Ledger) { l.Persons[0].Reports[0].Results[0].Value.Sent = "5.00" },
		"conclusion": func(l *alliancegen.Ledger) { l.Persons[0].Reports[1].Conclusion = "正常" },
		"paper": func(l *alliancegen.Ledger) {
			reportWith(l, func(r *alliancegen.Report) bool { return len(r.Attachments) > 0 }).Attachments[0].Size++
		},
		"study": func(l *alliancegen.Ledger) {
			reportWith(l, func(r *alliancegen.Report) bool { return r.Study != nil }).Study.UID += "1"
		},
		"accession": func(l *alliancegen.Ledger) {
			reportWith(l, func(r *alliancegen.Report) bool { return r.Study != nil }).Study.Accession = "CT1"
		},
		"township resident": func(l *alliancegen.Ledger) {
			p, _ := l.Patient(alliancegen.Township, townshipNumber(l))
			p.Phone = "12000000000"
		},
		"township value": func(l *alliancegen.Ledger) { townshipReport(l, "JY").Results[0].Value.Sent = "1.0" },
		"township item":  func(l *alliancegen.Ledger) { townshipReport(l, "NC").Results[0].Item.Code = "蛋" },
		"township ECG":   func(l *alliancegen.Ledger) { townshipReport(l, "XD").Conclusion = "正常" },
		"department":     func(l *alliancegen.Ledger) { departmentOf(l, alliancegen.Township).Name = "" },
		"title":          func(l *alliancegen.Ledger) { memberOf(l, alliancegen.Township).Title.Code = "院长" },
		"member nobody names": func(l *alliancegen.Ledger) {
			l.Staff = append(l.Staff, alliancegen.Member{Institution: alliancegen.County, Number: "0"})
		},
	} {
		l, err := alliancegen.ReadLedger(generate(1).File("ledger.json"))
		if err != nil {
			t.Fatal(err)
		}
		a := &alliancegen.Alliance{Files: generate(1).Files, Ledger: l}
		plant(l)
		if len(differences(t, a)) != 1 {
			t.Errorf("%s: a planted fault gives %d differences", name, len(differences(t, a)))
		}
	}
}

// differences compares the ledger with what its records end with.
func differences(t *testing.T, a *alliancegen.Alliance) (out []string) {
	t.Helper()
	s := readEnd(t, a)
	differ := func(what, got, want string) {
		if got != want {
			out = append(out, fmt.Sprintf("%s: the records end with %q, the ledger says %q", what, got, want))
		}
	}
	for _, p := range a.Ledger.Persons {
		for _, q := range p.Patients {
			s.patient(differ, q)
		}
		for _, v := range p.Visits {
			if v.Institution == alliancegen.City || v.Institution == alliancegen.County {
				s.visit(differ, v)
			}
		}
		s.township(differ, &p)
		for _, o := range p.Orders {
			if o.Institution != alliancegen.City && o.Institution != alliancegen.County {
				continue
			}
			at := "order " + o.Number + " of " + o.Institution
			if o.Institution == alliancegen.County {
				row := s.rows["HIS_SQD "+o.Number]
				differ(at, map[string]string{"0": "active", "2": "completed", "9": "revoked"}[row["ZT"]], o.Status)
				differ(at+" item", row["XMDM"], o.Item.Code)
				differ(at+" patient", row["HZID"], o.Patient)
			} else {
				differ(at, map[string]string{"NW": "active", "CA": "revoked", "SCCM": "completed"}[s.orders[o.Number]], o.Status)
			}
		}
		for _, x := range p.Prescriptions {
			if x.Institution != alliancegen.County {
				continue
			}
			row := s.rows[fmt.Sprintf("HIS_CF %s %d", x.Number, x.Row)]
			differ("prescription "+x.Number, map[string]string{"1": "active", "2": "completed", "9": "cancelled"}[row["ZT"]], x.Status)
			differ("drug of "+x.Number, row["YPBM"], x.Drug.Code)
		}
		for _, x := range p.Referrals {
			if x.Institution == alliancegen.County {
				differ("referral "+x.Number, s.rows["HIS_ZZ "+x.Number]["ZZZT"], x.LocalStatus)
			}
		}
		for _, r := range p.Reports {
			s.report(differ, r)
		}
	}
	s.masters(differ, a.Ledger)
	return out
}

func (s *endState) patient(differ func(what, got, want string), q *alliancegen.Patient) {
	at := "patient " + q.ID + " of " + q.Institution
	contact := ""
	if q.Contact != nil {
		contact = q.Contact.Phone
	}
	switch q.Institution {
	case alliancegen.County:
		row := s.rows["HIS_HZXX "+q.ID]
		differ(at+" name", row["XM"], q.Name)
		differ(at+" phone", narrow(row["LXDH"]), q.Phone)
		differ(at+" address", row["JTZZ"], q.Address)
		differ(at+" marital", row["HYZK"], q.Marital)
		differ(at+" contact", row["LXRDH"], contact)
	case alliancegen.Township:
		row := s.rows["居民档案 "+q.ID]
		differ(at+" name", row["姓名"], q.Name)
		differ(at+" phone", narrow(row["联系电话"]), q.Phone)
		differ(at+" address", row["现住址"], q.Address)
		differ(at+" marital", row["婚姻状况"], q.Marital)
		differ(at+" ethnicity", row["民族"], q.Ethnicity)
		differ(at+" contact", row["联系人电话"], contact)
		birth := digits(row["出生日期"])
		differ(at+" birth", birth, digits(q.Birth.String()))
	case alliancegen.City:
		pid := s.people[q.ID]
		if q.MergedInto != "" && pid == nil {
			return
		}
		name, _, _ := strings.Cut(pid[5], "^")
		differ(at+" name", name, q.Name)
		number, _, _ := strings.Cut(pid[13], "^")
		differ(at+" phone", strings.Trim(number, `"`), q.Phone)
		address, _, _ := strings.Cut(pid[11], "^")
		differ(at+" address", unescape.Replace(address), q.Address)
		differ(at+" marital", pid[16], q.Marital)
		if dead := pid[30] == "Y"; dead != (q.Deceased != nil) {
			differ(at, fmt.Sprint("dead ", dead), fmt.Sprint("dead ", q.Deceased != nil))
		}
	}
}

func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' {
			return r - 0xFEE0
		}
		return r
	}, s)
}

func (s *endState) visit(differ func(what, got, want string), v *alliancegen.Visit) {
	at := "visit " + v.Number + " of " + v.Institution
	if v.Institution == alliancegen.County {
		row := s.rows["HIS_JZXX "+v.Number]
		differ(at, map[string]string{"1": "in-progress", "2": "finished", "9": "cancelled"}[row["ZTBZ"]], v.Status)
		for _, dx := range v.Diagnoses {
			code := row["ZDBM"]
			if dx.Rank > 1 {
				code = s.rows[fmt.Sprintf("HIS_ZD %s %d", v.Number, dx.Rank)]["ZDBM"]
			}
			differ(at+" diagnosis", code, dx.Code)
		}
		return
	}
	pv1 := s.visits[v.Number]
	dept, _, _ := strings.Cut(pv1[3], "^")
	differ(at+" department", dept, v.Department.Code)
	differ(at+" class", pv1[2], v.LocalClass)
	differ(at+" disposition", pv1[36], v.Disposition)
	differ(at+" admit source", pv1[14], v.AdmitSource)
	status := "in-progress"
	switch {
	case s.events[v.Number] == "ADT^A11":
		status = "cancelled"
	case pv1[45] != "":
		status = "finished"
	case pv1[2] == "P":
		status = "planned"
	}
	differ(at, status, v.Status)
	end := ""
	if v.End != nil {
		end = v.End.Instant().Format("20060102150405")
	}
	differ(at+" end", pv1[45], end)
}

func (s *endState) report(differ func(what, got, want string), r *alliancegen.Report) {
	at := "report " + r.Number + " of " + r.Institution
	var got [][4]string
	switch r.Institution {
	case alliancegen.City:
		differ(at, map[string]string{"P": "preliminary", "F": "final", "C": "corrected", "X": "entered-in-error"}[s.states[r.Number]], r.Status)
		if r.Findings != "" {
			findings := r.Findings
			if r.Kind == "pathology" { // gross, then microscopic
				findings = strings.Replace(findings, "\n", "§", 1)
			}
			differ(at+" text", s.findings[r.Number], findings+"§"+r.Conclusion+"§")
		}
		s.complete(differ, at, r)
		got = s.items[r.Number]
	case alliancegen.County:
		table := "LIS_BG "
		if r.Findings != "" {
			table = "RIS_BG "
			row := s.rows[table+r.Number]
			differ(at+" text", row["YXSJ"]+"§"+row["YXZD"], r.Findings+"§"+r.Conclusion)
		}
		state := s.rows[table+r.Number]["BGZT"]
		differ(at, map[string]string{"1": "final", "正常": "final", "2": "corrected", "更正": "corrected", "3": "entered-in-error", "作废": "entered-in-error"}[state], r.Status)
		for i := 1; s.rows[fmt.Sprintf("LIS_BGXM %s %d", r.Number, i)] != nil; i++ {
			row := s.rows[fmt.Sprintf("LIS_BGXM %s %d", r.Number, i)]
			got = append(got, [4]string{row["XMDM"], row["XMJG"], row["XMDW"], row["GDBZ"]})
		}
	case alliancegen.Lab:
		d := s.docs[r.Number]
		differ(at, map[string]string{"1": "final", "2": "corrected", "3": "entered-in-error"}[d.Report.Status], r.Status)
		if r.Kind == "microbiology" {
			isolates, drugs := 0, 0
			for _, res := range r.Results {
				if res.Value.Kind == alliancegen.Text {
					isolates++
				} else {
					drugs++
				}
			}
			sent := 0
			for _, c := range d.Cultures {
				sent += len(c.Antibiotic)
			}
			differ(at+" isolates", fmt.Sprint(len(d.Cultures), sent), fmt.Sprint(isolates, drugs))
			return
		}
		for _, it := range d.Items {
			v := string(it.Result)
			if v == "null" {
				v = ""
			}
			got = append(got, [4]string{it.ItemCode, strings.Trim(v, `"`), it.Unit, it.ResultFlag})
		}
	}
	if r.Institution == alliancegen.Township || r.Institution == alliancegen.Community {
		return
	}
	var want [][4]string
	for _, res := range r.Results {
		sent := strings.ReplaceAll(res.Value.Sent, "：", ":")
		if r.Institution != alliancegen.City {
			sent = res.Value.Sent
		}
		want = append(want, [4]string{res.Item.Code, sent, res.Value.Unit, res.Flag})
	}
	differ(at+" results", fmt.Sprint(got), fmt.Sprint(want))
}
