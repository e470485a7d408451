package alliancetest_test

import (
	"strings"
	"testing"

	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/alliancetest"
)

// Each kind of fact is falsified once in the ledger; the checker must then miss it.
func TestFindsPlantedFaults(t *testing.T) {
	w := newWorld(t)
	w.deliver(t, alliancegen.Generate(1, alliancegen.Options{}).Deliveries())
	person := func(l *alliancegen.Ledger, has func(*alliancegen.Person) bool) *alliancegen.Person {
		for i := range l.Persons {
			if has(&l.Persons[i]) {
				return &l.Persons[i]
			}
		}
		t.Fatal("nobody has it")
		return nil
	}
	result := func(l *alliancegen.Ledger, has func(*alliancegen.Result) bool) *alliancegen.Result {
		for i := range l.Persons {
			for _, r := range l.Persons[i].Reports {
				for j := range r.Results {
					if has(&r.Results[j]) {
						return &r.Results[j]
					}
				}
			}
		}
		t.Fatal("no such result")
		return nil
	}
	kind := func(k string) func(*alliancegen.Result) bool {
		return func(r *alliancegen.Result) bool { return r.Value.Kind == k }
	}
	later := func(at *alliancegen.Time) {
		b, _ := at.MarshalJSON()
		year := string(b[1:5])
		other := map[bool]string{true: "2024", false: "2025"}[year == "2025"]
		if err := at.UnmarshalJSON([]byte(`"` + other + string(b[5:]))); err != nil {
			t.Fatal(err)
		}
	}
	inpatient := func(l *alliancegen.Ledger) *alliancegen.Visit {
		p := person(l, func(p *alliancegen.Person) bool {
			for _, v := range p.Visits {
				if v.Bed != "" && v.Disposition != "" {
					return true
				}
			}
			return false
		})
		for _, v := range p.Visits {
			if v.Bed != "" && v.Disposition != "" {
				return v
			}
		}
		return nil
	}
	for name, plant := range map[string]func(*alliancegen.Ledger){
		"patient":            func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].ID = "0" },
		"resident id":        func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Identifiers[0].Value = "990121196506073325" },
		"name":               func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Name += "二" },
		"sex":                func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Sex = "male" },
		"birth":              func(l *alliancegen.Ledger) { later(&l.Persons[0].Patients[0].Birth) },
		"phone":              func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Phone = "12000000000" },
		"address":            func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Address += "1" },
		"marital":            func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Marital = "99" },
		"ethnicity":          func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Ethnicity = "56" },
		"contact":            func(l *alliancegen.Ledger) { l.Persons[0].Patients[0].Contact.Phone = "12000000000" },
		"visit's patient":    func(l *alliancegen.Ledger) { l.Persons[0].Visits[0].Patient = "0" },
		"visit's class":      func(l *alliancegen.Ledger) { l.Persons[0].Visits[0].Class = "HH" },
		"visit's status":     func(l *alliancegen.Ledger) { l.Persons[0].Visits[0].Status = "cancelled" },
		"visit's start":      func(l *alliancegen.Ledger) { later(&l.Persons[0].Visits[0].Start) },
		"visit's end":        func(l *alliancegen.Ledger) { l.Persons[0].Visits[0].End = nil },
		"visit's department": func(l *alliancegen.Ledger) { l.Persons[0].Visits[0].Department.Standard = "99" },
		"visit's doctor":     func(l *alliancegen.Ledger) { l.Persons[0].Visits[0].Doctor.Number = "0" },
		"bed":                func(l *alliancegen.Ledger) { inpatient(l).Bed = "999" },
		"disposition":        func(l *alliancegen.Ledger) { inpatient(l).Disposition = "9" },
		"admit source":       func(l *alliancegen.Ledger) { inpatient(l).AdmitSource = "9" },
		"diagnosis":          func(l *alliancegen.Ledger) { l.Persons[0].Visits[0].Diagnoses[1].Code = "J18.900" },
		"diagnosis too many": func(l *alliancegen.Ledger) { v := l.Persons[0].Visits[0]; v.Diagnoses = v.Diagnoses[:1] },
		"order's status":     func(l *alliancegen.Ledger) { l.Persons[0].Orders[0].Status = "revoked" },
		"order's item":       func(l *alliancegen.Ledger) { l.Persons[0].Orders[0].Item.Standard = "1-8" },
		"order's time":       func(l *alliancegen.Ledger) { later(&l.Persons[0].Orders[0].Ordered) },
		"order's performer":  func(l *alliancegen.Ledger) { l.Persons[0].Orders[0].Performer = alliancegen.City },
		"report's status":    func(l *alliancegen.Ledger) { l.Persons[0].Reports[0].Status = "corrected" },
		"report's order":     func(l *alliancegen.Ledger) { l.Persons[0].Reports[0].Order.Institution = alliancegen.Lab },
		"report's time":      func(l *alliancegen.Ledger) { later(&l.Persons[0].Reports[0].Issued) },
		"report's author":    func(l *alliancegen.Ledger) { l.Persons[0].Reports[0].Author.Name += "二" },
		"one result more":    func(l *alliancegen.Ledger) { r := l.Persons[0].Reports[0]; r.Results = append(r.Results, r.Results[0]) },
		"one result less":    func(l *alliancegen.Ledger) { r := l.Persons[0].Reports[0]; r.Results = r.Results[1:] },
		"number":             func(l *alliancegen.Ledger) { result(l, kind(alliancegen.Quantity)).Value.Number += "0" },
		"unit":               func(l *alliancegen.Ledger) { result(l, kind(alliancegen.Quantity)).Value.UCUM = "kg" },
		"ordinal":            func(l *alliancegen.Ledger) { result(l, kind(alliancegen.Ordinal)).Value.Ordinal = "4+" },
		"titre":              func(l *alliancegen.Ledger) { result(l, kind(alliancegen.Ratio)).Value.Denominator = "5" },
		"text":               func(l *alliancegen.Ledger) { result(l, kind(alliancegen.Text)).Value.Text = "X型" },
		"absent":             func(l *alliancegen.Ledger) { result(l, kind(alliancegen.Absent)).Value.Reason = "" },
		"range": func(l *alliancegen.Ledger) {
			result(l, func(r *alliancegen.Result) bool { return r.Range.High != "" }).Range.High = "0"
		},
		"flag": func(l *alliancegen.Ledger) {
			result(l, func(r *alliancegen.Result) bool { return r.Flag != "" }).Interpret = "LL"
		},
		"result's status": func(l *alliancegen.Ledger) {
			result(l, func(r *alliancegen.Result) bool { return r.Was != "" }).Status = "final"
		},
		"mark": func(l *alliancegen.Ledger) {
			result(l, func(r *alliancegen.Result) bool { return r.Marked }).Marked = false
		},
		"findings":             func(l *alliancegen.Ledger) { examination(person(l, hasFindings)).Findings += "。" },
		"conclusion":           func(l *alliancegen.Ledger) { examination(person(l, hasFindings)).Conclusion = "正常" },
		"referral's status":    func(l *alliancegen.Ledger) { l.Persons[0].Referrals[0].LocalStatus = "3" },
		"referral's direction": func(l *alliancegen.Ledger) { l.Persons[0].Referrals[0].Direction = "down" },
		"referral's goal":      func(l *alliancegen.Ledger) { l.Persons[0].Referrals[0].To = alliancegen.Lab },
		"referral's summary":   func(l *alliancegen.Ledger) { l.Persons[0].Referrals[0].Summary += "。" },
		"referral answered":    func(l *alliancegen.Ledger) { l.Persons[0].Referrals[1].Answers.Number = "0" },
		"allergy":              func(l *alliancegen.Ledger) { l.Persons[0].Allergies[0].Category = "food" },
		"allergy's reaction":   func(l *alliancegen.Ledger) { l.Persons[0].Allergies[0].Reaction = "休克" },
		"appointment":          func(l *alliancegen.Ledger) { later(&l.Persons[0].Appointments[0].Start) },
		"dose":                 func(l *alliancegen.Ledger) { l.Persons[0].Prescriptions[0].Dose = "7" },
		"drug":                 func(l *alliancegen.Ledger) { l.Persons[0].Prescriptions[0].Drug.Standard = "X" },
		"pathology's kind":     func(l *alliancegen.Ledger) { reportOf(l, "pathology").Kind = "imaging" },
		"specimen's number":    func(l *alliancegen.Ledger) { reportOf(l, "pathology").SpecimenNumber += "0" },
		"study":                func(l *alliancegen.Ledger) { studied(l).Study.UID += ".1" },
		"study's accession":    func(l *alliancegen.Ledger) { studied(l).Study.Accession += "0" },
		"study's modality":     func(l *alliancegen.Ledger) { studied(l).Study.Modality = "NM" },
		"study's viewer":       func(l *alliancegen.Ledger) { studied(l).Study.Viewer += "&x" },
		"study's pictures":     func(l *alliancegen.Ledger) { studied(l).Study.Instances++ },
		"a study that is none": func(l *alliancegen.Ledger) { studied(l).Study = nil },
		"attachment's bytes":   func(l *alliancegen.Ledger) { attached(l).Attachments[0].SHA256 = strings.Repeat("0", 64) },
		"attachment's type":    func(l *alliancegen.Ledger) { attached(l).Attachments[0].ContentType = "image/gif" },
		"attachment's size":    func(l *alliancegen.Ledger) { attached(l).Attachments[0].Size++ },
		"document":             func(l *alliancegen.Ledger) { paper(l).Number += "0" },
		"document's patient":   func(l *alliancegen.Ledger) { paper(l).Patient = "0" },
		"document's bytes":     func(l *alliancegen.Ledger) { paper(l).SHA256 = strings.Repeat("0", 64) },
		"document's kind":      func(l *alliancegen.Ledger) { paper(l).Code.Code = "C0053" },
		"document's date":      func(l *alliancegen.Ledger) { later(&paper(l).Date) },
		"document's author":    func(l *alliancegen.Ledger) { paper(l).Author.Name += "二" },
		"document's section":   func(l *alliancegen.Ledger) { paper(l).Sections[0].Text += "。" },
		"vital sign":           func(l *alliancegen.Ledger) { vital(l).Value.Number += "0" },
		"vital sign's item":    func(l *alliancegen.Ledger) { vital(l).Item.Code = "0" },
		"department":           func(l *alliancegen.Ledger) { l.Departments[0].Name += "二" },
		"department too many": func(l *alliancegen.Ledger) {
			l.Departments = append(l.Departments, alliancegen.Department{Institution: alliancegen.County, Code: "0", Name: "无", Kind: "department"})
		},
		"ward's department":    func(l *alliancegen.Ledger) { ward(l).PartOf = "0" },
		"staff":                func(l *alliancegen.Ledger) { titled(l).Name += "二" },
		"staff's department":   func(l *alliancegen.Ledger) { titled(l).Department = "0" },
		"staff's title":        func(l *alliancegen.Ledger) { titled(l).Title.Code = "0" },
		"prescription's state": func(l *alliancegen.Ledger) { l.Persons[0].Prescriptions[0].Status = "cancelled" },
	} {
		l := alliancegen.Generate(1, alliancegen.Options{}).Ledger
		plant(l)
		if c := alliancetest.Check(w.holdings(), l); len(c.Missing) == 0 {
			t.Errorf("%s: a planted fault is not found", name)
		}
	}
	if c := alliancetest.Check(w.holdings(), alliancegen.Generate(1, alliancegen.Options{}).Ledger); len(c.Missing) > 0 || c.Checked < 5000 {
		t.Errorf("without a fault %d of %d facts are missing", len(c.Missing), c.Checked)
	}
}

func hasFindings(p *alliancegen.Person) bool { return examination(p) != nil }

func examination(p *alliancegen.Person) *alliancegen.Report {
	for _, r := range p.Reports {
		if r.Findings != "" {
			return r
		}
	}
	return nil
}

// first returns the first of what the persons of a ledger have that fits.
func first[T any](l *alliancegen.Ledger, of func(*alliancegen.Person) []*T, fits func(*T) bool) *T {
	for i := range l.Persons {
		for _, x := range of(&l.Persons[i]) {
			if fits(x) {
				return x
			}
		}
	}
	panic("nobody has it")
}

func reports(p *alliancegen.Person) []*alliancegen.Report { return p.Reports }

func reportOf(l *alliancegen.Ledger, kind string) *alliancegen.Report {
	return first(l, reports, func(r *alliancegen.Report) bool { return r.Kind == kind && r.SpecimenNumber != "" })
}

func studied(l *alliancegen.Ledger) *alliancegen.Report {
	return first(l, reports, func(r *alliancegen.Report) bool {
		return r.Study != nil && r.Study.Viewer != "" && r.Study.Instances > 0
	})
}

func attached(l *alliancegen.Ledger) *alliancegen.Report {
	return first(l, reports, func(r *alliancegen.Report) bool { return len(r.Attachments) > 0 })
}

func paper(l *alliancegen.Ledger) *alliancegen.Document {
	return first(l, func(p *alliancegen.Person) []*alliancegen.Document { return p.Documents },
		func(d *alliancegen.Document) bool {
			return len(d.Sections) > 0 && d.Code.Code != "" && d.Author.Name != ""
		})
}

func vital(l *alliancegen.Ledger) *alliancegen.Result {
	v := first(l, func(p *alliancegen.Person) []*alliancegen.Visit { return p.Visits }, func(v *alliancegen.Visit) bool { return len(v.Vitals) > 0 })
	return &v.Vitals[0]
}

func ward(l *alliancegen.Ledger) *alliancegen.Department {
	for i := range l.Departments {
		if d := &l.Departments[i]; d.Kind == "ward" && d.PartOf != "" {
			return d
		}
	}
	panic("there is no ward")
}

func titled(l *alliancegen.Ledger) *alliancegen.Member {
	for i := range l.Staff {
		if m := &l.Staff[i]; m.Title.Code != "" && m.Department != "" {
			return m
		}
	}
	panic("nobody has a title")
}
