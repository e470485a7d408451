package alliancegen

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"
)

// castComplete are people of the city hospital whose reports have everything: papers and
// pictures, a pathology, studies in the archive, a culture, and results that are
// corrected, added and voided one by one.
func (s *story) castComplete() {
	d := s.city.delivery("15-city-hospital-results", 6)
	s.pathology(d)
	s.studies(d)
	s.tracingOnPaper(d)
	s.culture(d)
	s.itemByItem(d)
}

// stayAt registers and admits somebody, all in one delivery.
func (s *story) stayAt(d *cityDelivery, note string, at time.Time, dept string, dx ...string) (*human, *Patient, *Visit) {
	h := s.human(note)
	p := s.atCity(h)
	s.city.adt(d, "A28", at.Add(-15*time.Minute), p, nil)
	v := s.visit(p, "IMP", dept, at, dx...)
	v.AdmitSource = "2"
	s.city.adt(d, "A01", at, p, v)
	return h, p, v
}

func (s *story) pathology(d *cityDelivery) {
	_, p, v := s.stayAt(d, "pathology with a picture", s.at(31, 9, 0), "gastro", "anaemia")
	o := s.order(p, v, "gastric-biopsy", City, s.at(31, 10, 0))
	s.city.order(d, "ORM^O01", "NW", o.Ordered.t, p, v, o)
	rep := s.report(City, p, o.panel, o, s.at(31, 11, 0), s.at(34, 16, 0))
	rep.SpecimenNumber = s.number("bl", "BL25%05d", 1200)
	rep.Results = []Result{{Item: Coded{Code: "BL_HP", Text: "幽门螺杆菌(特殊染色)"}, Occurrence: 1, Status: "final", Flag: "A", Interpret: "A",
		Value: Value{Kind: Ordinal, Ordinal: "2+", Sent: "++"}}}
	rep.attach("镜下图像", "image/png", paper{"BL_TX", "Image", "PNG", micrograph(s.r)})
	s.city.result(d, s.at(34, 16, 1), p, v, false, rep)
	s.trap("pathology-report", rep)
	s.trap("attachment-image", rep)
}

// study puts a report's pictures into the archive of the city hospital.
func (s *story) study(rep *Report, modality string, series, instances int) {
	high, low := new(big.Int).SetUint64(s.r.next()), new(big.Int).SetUint64(s.r.next())
	uid := "2.25." + high.Lsh(high, 64).Or(high, low).String()
	rep.Study = &Study{
		UID: uid, Accession: s.number("accession", modality+"25%06d", 30000), Modality: modality, Series: series, Instances: instances,
		Started: rep.Collected, Viewer: "https://pacs.hysyy.invalid/viewer?study=" + uid,
	}
	s.trap("imaging-study", rep)
}

func (s *story) studies(d *cityDelivery) {
	_, p, v := s.stayAt(d, "studies in the archive", s.at(32, 9, 0), "respiratory", "pneumonia")
	for i, x := range []struct {
		panel, modality   string
		series, instances int
	}{{"chest-ct", "CT", 3, s.r.between(180, 320)}, {"chest-xr", "DX", 1, 2}} {
		o := s.order(p, v, x.panel, City, s.at(32, 9, 30+i))
		s.city.order(d, "ORM^O01", "NW", o.Ordered.t, p, v, o)
		rep := s.report(City, p, o.panel, o, s.at(32, 10+i, 0), s.at(32, 13, 10*i))
		s.study(rep, x.modality, x.series, x.instances)
		s.city.result(d, rep.Issued.t.Add(time.Minute), p, v, i == 1, rep)
	}
}

func (s *story) tracingOnPaper(d *cityDelivery) {
	h := s.human("ECG report on paper")
	p := s.atCity(h)
	at := s.at(33, 8, 30)
	s.city.adt(d, "A28", at.Add(-10*time.Minute), p, nil)
	v := s.visit(p, "AMB", "cardiology", at, "chestpain")
	s.city.adt(d, "A04", at, p, v)
	o := s.order(p, v, "ecg", City, at.Add(10*time.Minute))
	s.city.order(d, "ORM^O01", "NW", o.Ordered.t, p, v, o)
	rep := s.report(City, p, o.panel, o, at.Add(20*time.Minute), at.Add(40*time.Minute))
	n := map[bool]string{true: "78", false: "96"}[rep.Findings == rep.panel.findings[0]]
	rep.Results = []Result{{Item: coded("ECG_HR", "心率", systemLOINC, "8867-4"), Occurrence: 1, Status: "final",
		Value: Value{Kind: Quantity, Number: n, Unit: "次/分", UCUM: "/min", Sent: n}}}
	rep.attach("心电图报告", "application/pdf", paper{"ECG_PDF", "Application", "PDF", tracing(s.r, rep.Number)})
	s.city.result(d, rep.Issued.t.Add(time.Minute), p, v, false, rep)
	s.trap("attachment-pdf", rep)
}

// culture is a blood culture of the city's own laboratory: the isolates first, their
// susceptibilities with the final report.
func (s *story) culture(d *cityDelivery) {
	_, p, v := s.stayAt(d, "a culture at the city hospital", s.at(33, 10, 0), "respiratory", "sepsis")
	o := s.order(p, v, "blood-culture", City, s.at(33, 10, 30))
	s.city.order(d, "ORM^O01", "NW", o.Ordered.t, p, v, o)
	rep := s.report(City, p, o.panel, o, s.at(33, 10, 45), s.at(35, 9, 0))
	s.lab.culture(rep, 2)
	rep.Culture = "" // no field of these records says it
	for i := range rep.Results {
		rep.Results[i].SubID = strconv.Itoa(rep.Results[i].Isolate)
	}
	whole := slices.Clone(rep.Results)
	rep.Results = slices.DeleteFunc(slices.Clone(whole), func(r Result) bool { return r.Value.Kind != Text })
	for i := range rep.Results {
		rep.Results[i].Status = "preliminary"
	}
	rep.Status, rep.States = "preliminary", []string{"preliminary"}
	s.city.result(d, s.at(35, 9, 1), p, v, true, rep)
	rep.Results, rep.Status, rep.States = whole, "final", []string{"preliminary", "final"}
	rep.Issued = instant(s.at(37, 9, 0))
	s.trap("culture-in-er7", s.city.result(d, s.at(37, 9, 1), p, v, true, rep).record, rep)
}

// itemByItem is a report that comes four times: with an item missing, with another
// corrected, with the missing one added, with a third voided.
func (s *story) itemByItem(d *cityDelivery) {
	h, p, v := s.stayAt(d, "results corrected, added and voided one by one", s.at(34, 9, 0), "gastro", "hepatitisB")
	o := s.order(p, v, "liver", City, s.at(34, 9, 30))
	s.city.order(d, "ORM^O01", "NW", o.Ordered.t, p, v, o)
	rep := s.report(City, p, o.panel, o, s.at(34, 9, 45), s.at(34, 12, 0))
	s.fill(rep, h.sex)
	last := len(rep.Results) - 1
	added := rep.Results[last]
	rep.Results = rep.Results[:last:last]
	s.city.result(d, s.at(34, 12, 1), p, v, true, rep)
	s.correct(rep, 0, "188", "H")
	rep.Issued = instant(s.at(34, 14, 0))
	s.trap("result-corrected", s.city.result(d, s.at(34, 14, 1), p, v, true, rep).record, rep)
	rep.Results = append(rep.Results, added)
	rep.States = append(rep.States, "corrected")
	rep.Issued = instant(s.at(34, 15, 0))
	s.trap("result-added", s.city.result(d, s.at(34, 15, 1), p, v, true, rep).record, rep)
	rep.Results[2].Status = "entered-in-error"
	rep.States = append(rep.States, "corrected")
	rep.Issued = instant(s.at(34, 16, 0))
	s.trap("result-voided", s.city.result(d, s.at(34, 16, 1), p, v, true, rep).record, rep)
}

// countyLists sends the county's lists of departments and staff, whole.
func (s *story) countyLists() {
	n := s.county.nights[len(s.county.nights)-1]
	at := s.at(38, 2, 0)
	put := func(d Department, kind string) {
		s.department(d)
		s.county.put(n, "HIS_KS", "", map[string]string{"KSDM": d.Code, "KSMC": d.Name, "KSLB": kind, "SJKS": d.PartOf, "XGSJ": stamp(at)})
	}
	technical := []string{"laboratory", "imaging", "ecg-room", "checkup"}
	var codes []string
	for _, d := range departments {
		if d.county == "" {
			continue
		}
		kind := "1"
		if slices.Contains(technical, d.key) {
			kind = "2"
		}
		put(Department{Institution: County, Code: d.county, Name: d.name, Kind: "department"}, kind)
		if kind == "1" && d.key != "general" && d.key != "emergency" {
			codes = append(codes, d.county)
			put(Department{Institution: County, Code: "9" + d.county, Name: d.name + "病区", Kind: "ward", PartOf: d.county}, "3")
		}
	}
	staff := slices.Clone(s.doctors[County])
	for i := range 3 {
		staff = append(staff, Staff{fmt.Sprintf("9%03d", 101+i*11), s.name("female", surnames, nil).han})
	}
	for i, who := range staff {
		title := titles[s.r.intn(5)]
		if i >= len(s.doctors[County]) {
			title = titles[5+s.r.intn(4)]
		}
		m := Member{Institution: County, Number: who.Number, Name: who.Name, Department: pick(s.r, codes), Title: Coded{Code: title[0], Text: title[1]}}
		s.member(m)
		rec := s.county.put(n, "HIS_ZG", "", map[string]string{"ZGGH": m.Number, "XM": m.Name, "KSDM": m.Department, "ZC": m.Title.Code, "ZCMC": m.Title.Text, "XGSJ": stamp(at)})
		if i == 0 {
			s.trap("staff-list", rec)
		}
	}
}
