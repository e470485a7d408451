package alliancegen

// countMasters counts departments, wards and staff, each once.
func countMasters(l *Ledger, add func(institution, kind string, n int)) {
	for _, d := range l.Departments {
		add(d.Institution, "Department", 1)
	}
	for _, m := range l.Staff {
		add(m.Institution, "Practitioner", 1)
	}
}

// countSpecimens counts the specimens of the institutions that number every specimen
// of their reports; where one is not numbered nobody knows which are the same.
func countSpecimens(l *Ledger, add func(institution, kind string, n int)) {
	numbers, unknown := map[string]map[string]bool{}, map[string]bool{}
	for _, p := range l.Persons {
		for _, r := range p.Reports {
			switch {
			case r.SpecimenNumber != "":
				if numbers[r.Institution] == nil {
					numbers[r.Institution] = map[string]bool{}
				}
				numbers[r.Institution][r.SpecimenNumber] = true
			case r.Specimen.Code != "":
				unknown[r.Institution] = true
			}
		}
	}
	for institution, of := range numbers {
		if !unknown[institution] {
			add(institution, "Specimen", len(of))
		}
	}
}
