package alliancegen

import "time"

// routine are people with nothing special about them: a visit, an order, its report,
// a prescription, in one institution or several by turns.
func (s *story) routine(st *stage, n int) {
	courses := []struct{ dept, dx, panel, exam, drug string }{
		{"endocrine", "t2dm", "hba1c", "ecg", "acarbose"},
		{"cardiology", "hypertension", "lipids", "ecg", "amlodipine"},
		{"respiratory", "pneumonia", "cbc", "chest-xr", "cefuroxime"},
		{"gastro", "gallstone", "liver", "abdomen-us", "omeprazole"},
		{"neuro", "infarct", "coagulation", "chest-ct", "aspirin"},
		{"respiratory", "copd", "crp", "chest-ct", "salbutamol"},
	}
	for i := range n {
		c := courses[(i+s.r.intn(len(courses)))%len(courses)]
		h := s.human("routine")
		if i%3 != 2 {
			s.routineCounty(st, h, c.dept, c.dx, c.panel, c.exam, c.drug)
		}
		if i%3 != 0 {
			s.routineCity(st, h, c.dept, c.dx, c.panel, c.exam)
		}
	}
}

func (s *story) routineCounty(st *stage, h *human, dept, dx, panelKey, exam, drugKey string) {
	p := s.atCounty(h)
	v := s.countyClinic(st.countyA, p, s.r.between(0, 3), dept, dx, "hyperlipidaemia")
	// The old outpatient screen keeps the day of an examination order, not its time.
	o := s.order(p, v, exam, County, v.Start.t)
	o.Ordered = date(v.Start.t)
	o.Priority = pick(s.r, []string{"routine", "urgent"})
	o.Status = "completed"
	s.county.order(st.countyA, o, v, v.Start.t.Add(5*time.Minute))
	rep := s.report(County, p, o.panel, o, v.Start.t.Add(30*time.Minute), v.Start.t.Add(70*time.Minute))
	s.county.report(st.countyA, rep, rep.Issued.t)
	s.trapOnce("day-precision", 2, o)
	if rep.Kind == "ecg" {
		s.trapOnce("ecg-report", 2, rep)
	}
	rx := s.prescribe(p, v, s.number("cf", "CF%08d", 7000000), 1, drugKey, date(v.Start.t))
	rx.Status = "completed"
	s.county.prescription(st.countyA, rx, v.Start.t.Add(time.Hour))
	s.labPanel(st.countyA, st.labEarly, p, v, h, panelKey, 4, ResidentID, SenderNumber)
}

func (s *story) routineCity(st *stage, h *human, dept, dx, panelKey, exam string) {
	p := s.atCity(h)
	stay := s.inpatient(st, p, s.at(s.r.between(3, 9), s.r.between(8, 15), 0), dept, dx)
	o := s.order(p, stay, panelKey, City, stay.Start.t.Add(20*time.Minute))
	e := s.order(p, stay, exam, City, stay.Start.t.Add(25*time.Minute))
	s.city.order(st.cityOrders, "OML^O21", "NW", o.Ordered.t, p, stay, o)
	s.city.order(st.cityOrders, "ORM^O01", "NW", e.Ordered.t, p, stay, e)
	rep := s.report(City, p, o.panel, o, o.Ordered.t.Add(40*time.Minute), o.Ordered.t.Add(3*time.Hour))
	s.fill(rep, p.Sex)
	s.city.result(st.cityResults, rep.Issued.t.Add(time.Minute), p, stay, false, rep)
	if e.panel.key == "ecg" {
		s.cityECG(st, p, stay, e, e.Ordered.t.Add(time.Hour))
	} else {
		img := s.report(City, p, e.panel, e, e.Ordered.t.Add(time.Hour), e.Ordered.t.Add(2*time.Hour))
		s.city.result(st.cityResults, img.Issued.t.Add(time.Minute), p, stay, true, img)
	}
	stay.end(s.at(s.r.between(14, 20), 10, 0), "1")
	s.city.adt(st.cityLeave, "A03", stay.End.t, p, stay)
}
