package alliancegen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// File is one generated file; Path is relative to testdata/alliance.
type File struct {
	Path  string
	Bytes []byte
}

// Alliance is a generated data set: the deliveries and bad records in order of
// arrival, then ledger, codes and interface documents.
type Alliance struct {
	Files  []File
	Ledger *Ledger
}

// Options of a data set; the zero value is what is committed.
type Options struct {
	// Routine is how many ordinary people come after the cast; 0 means 4.
	Routine int
}

// Generate makes the data set of a seed. Equal arguments give equal bytes.
func Generate(seed uint64, o Options) *Alliance {
	if o.Routine == 0 {
		o.Routine = 4
	}
	s := newStory(seed)
	st := s.stage()
	s.showcase(st)
	s.castIdentity(st)
	s.castCourse(st)
	s.castResults(st)
	s.routine(st, o.Routine)

	// What was there first is told, and its chances are drawn, before what came later.
	files := s.county.files()
	badFiles, bad := s.bad()
	s.aside(1, func() {
		s.castTownship()
		s.aside(2, s.countyLists)
		s.aside(3, s.castComplete)
		files = append(files, slices.Concat(s.town.files(), s.county.files())...)
		more, workbooks := s.badWorkbooks()
		badFiles = append(badFiles, more...)
		bad.Records, bad.Patients = append(bad.Records, workbooks.Records...), append(bad.Patients, workbooks.Patients...)
	})
	files = slices.Concat(files, s.city.files(), s.lab.files())
	slices.SortStableFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	files = append(files, badFiles...)
	l := s.ledger(files)
	l.Bad = bad
	files = s.communityCentre(files, l)
	return &Alliance{
		Files:  append(files, File{"ledger.json", encodeLedger(l)}, File{"codes.json", CodesFile()}, File{"README.md", Readme()}),
		Ledger: l,
	}
}

// aside tells a part of the story with chances of its own, so that it can grow without
// changing the rest.
func (s *story) aside(stream uint64, tell func()) {
	kept := s.r
	s.r = newRNG(s.seed*1_000_003 + stream)
	tell()
	s.r = kept
}

// Deliveries returns the files under deliveries/ in order of arrival.
func (a *Alliance) Deliveries() []File { return under(a.Files, "deliveries/") }

// Bad returns the files under bad/.
func (a *Alliance) Bad() []File { return under(a.Files, "bad/") }

// File returns one file's bytes; nil if there is none.
func (a *Alliance) File(path string) []byte {
	for _, f := range a.Files {
		if f.Path == path {
			return f.Bytes
		}
	}
	return nil
}

func under(files []File, prefix string) []File {
	var out []File
	for _, f := range files {
		if strings.HasPrefix(f.Path, prefix) {
			out = append(out, f)
		}
	}
	return out
}

func institutionName(id string) string {
	return map[string]string{City: "衡远市第一人民医院", County: "衡远市青崖县人民医院", Lab: "衡远市区域检验中心",
		Township: "衡远市青崖县白河镇卫生院"}[id]
}

func (s *story) ledger(files []File) *Ledger {
	l := &Ledger{
		Seed: s.seed,
		Institutions: []Institution{
			{City, institutionName(City), "三级甲等", "Asia/Shanghai", map[string]string{City: "HYSYY", County: countyMember[City], Lab: labMember[City]}},
			{County, institutionName(County), "二级甲等", "Asia/Shanghai", map[string]string{City: "QYXYY", County: countyMember[County], Lab: labMember[County]}},
			{Lab, institutionName(Lab), "未定级", "Asia/Shanghai", map[string]string{City: "HYQYJY", County: countyMember[Lab], Lab: "Z00"}},
			{Township, institutionName(Township), "一级甲等", "Asia/Shanghai", map[string]string{City: "QYXBHZ", County: countyMember[Township], Lab: labMember[Township], Township: townshipMember[Township]}},
		},
		Strangers: s.strangers, Reviews: s.reviews,
	}
	for _, p := range s.persons {
		l.Persons = append(l.Persons, *p)
	}
	order := map[string]int{}
	for i, f := range files {
		order[f.Path] = i
	}
	slices.SortStableFunc(s.records, func(a, b *Record) int {
		if a.File != b.File {
			return order[a.File] - order[b.File]
		}
		if a.sheet != b.sheet {
			return a.sheet - b.sheet
		}
		return a.Position - b.Position
	})
	for _, r := range s.records {
		l.Records = append(l.Records, *r)
	}
	s.masters(l)
	s.fileTraps(l)
	for _, t := range s.traps {
		where := slices.Clone(t.places)
		for _, r := range t.records {
			where = append(where, fmt.Sprintf("%s#%d", r.File, r.Position))
		}
		l.Traps = append(l.Traps, Trap{t.name, where})
	}
	l.Totals = totals(l)
	return l
}

// fileTraps are the traps that lie in a whole column or file.
func (s *story) fileTraps(l *Ledger) {
	a, c := s.county.nights[0].dir, s.county.nights[2].dir
	s.trap("mixed-dates", "deliveries/"+a+"/HIS_HZXX.csv CSRQ", "deliveries/"+a+"/HIS_JZXX.csv JZSJ")
	s.trap("mixed-sex-codes", "deliveries/"+a+"/HIS_HZXX.csv XB")
	s.trap("column-order-differs", "deliveries/"+c)
	s.trap("leading-zeros", "deliveries/"+s.county.nights[1].dir+"/LIS_BGXM.csv XMDM")
	seen := map[string]*Visit{}
	for _, p := range l.Persons {
		for _, v := range p.Visits {
			if v.DailyNumber == "" {
				continue
			}
			if w := seen[v.DailyNumber]; w != nil && w.Patient != v.Patient {
				s.trapOnce("daily-number-repeats", 2, w, v)
			}
			seen[v.DailyNumber] = v
		}
		for _, rep := range p.Reports {
			for _, res := range rep.Results {
				switch {
				case res.Flag == "P":
					s.trapOnce("flag-p-is-normal", 2, rep)
				case strings.ContainsAny(res.Flag, "↑↓"):
					s.trapOnce("flag-arrow", 2, rep)
				}
				if res.Value.Kind == Quantity && res.Value.Unit != res.Value.UCUM {
					s.trapOnce("unit-spelling", 3, rep)
				}
				if strings.ContainsAny(res.Range.Text, "~—－≤＜") {
					s.trapOnce("range-spelling", 3, rep)
				}
				if strings.Contains(res.Value.Sent, "：") {
					s.trapOnce("full-width-colon", 2, rep)
				}
			}
		}
	}
}

// totals counts facts as Ledger says.
func totals(l *Ledger) map[string]map[string]int {
	t := map[string]map[string]int{"alliance": {"Person": len(l.Persons)}}
	add := func(institution, kind string, n int) {
		if t[institution] == nil {
			t[institution] = map[string]int{}
		}
		if n > 0 {
			t[institution][kind] += n
		}
	}
	for _, p := range l.Persons {
		for _, x := range p.Patients {
			add(x.Institution, "Patient", 1)
		}
		for _, x := range p.Visits {
			add(x.Institution, "Encounter", 1)
			add(x.Institution, "Condition", len(x.Diagnoses))
			add(x.Institution, "Observation", len(x.Vitals))
		}
		for _, x := range p.Orders {
			add(x.Institution, "ServiceRequest", 1)
		}
		for _, x := range p.Referrals {
			add(x.Institution, "ServiceRequest", 1)
			add(x.Institution, "Referral", 1)
		}
		for _, x := range p.Reports {
			add(x.Institution, "DiagnosticReport", 1)
			add(x.Institution, "Observation", len(x.Results))
			if x.Findings != "" {
				add(x.Institution, "Narrative", 1)
			}
			if x.Study != nil {
				add(x.Institution, "ImagingStudy", 1)
			}
		}
		for _, x := range p.Prescriptions {
			add(x.Institution, "MedicationRequest", 1)
		}
		for _, x := range p.Allergies {
			add(x.Institution, "AllergyIntolerance", 1)
		}
		for _, x := range p.Appointments {
			add(x.Institution, "Appointment", 1)
		}
		for _, x := range p.Documents {
			add(x.Institution, "DocumentReference", 1)
		}
	}
	countMasters(l, add)
	countSpecimens(l, add)
	return t
}

// encodeLedger writes one person, record or pair a line, so that differences read.
func encodeLedger(l *Ledger) []byte {
	var b bytes.Buffer
	line := func(v any) []byte {
		var w bytes.Buffer
		e := json.NewEncoder(&w)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			panic(err) // plain values always encode
		}
		return bytes.TrimSpace(w.Bytes())
	}
	fmt.Fprintf(&b, "{\"seed\":%d,\n\"institutions\":%s,\n\"totals\":%s", l.Seed, line(l.Institutions), line(l.Totals))
	list := func(name string, n int, at func(int) any) {
		fmt.Fprintf(&b, ",\n%q:[", name)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('\n')
			b.Write(line(at(i)))
		}
		b.WriteString("]")
	}
	list("persons", len(l.Persons), func(i int) any { return l.Persons[i] })
	list("strangers", len(l.Strangers), func(i int) any { return l.Strangers[i] })
	list("reviews", len(l.Reviews), func(i int) any { return l.Reviews[i] })
	list("departments", len(l.Departments), func(i int) any { return l.Departments[i] })
	list("staff", len(l.Staff), func(i int) any { return l.Staff[i] })
	list("traps", len(l.Traps), func(i int) any { return l.Traps[i] })
	list("records", len(l.Records), func(i int) any { return l.Records[i] })
	fmt.Fprintf(&b, ",\n\"bad\":%s}\n", line(l.Bad))
	return b.Bytes()
}
