package alliancegen

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// city writes the records of the city hospital: HL7 v2.4 in GB18030.
type city struct {
	s          *story
	sexForms   *wheel[string]
	charsets   *wheel[string]
	lines      *wheel[string]
	deliveries []*cityDelivery
}

// cityDelivery is a folder of batch files. perFile limits the messages of one file.
type cityDelivery struct {
	dir      string
	perFile  int
	messages []*message
}

type message struct {
	at     time.Time
	segs   []string
	utf8   bool
	record *Record
}

// patientStyle is how an institution happens to write a patient.
type patientStyle struct {
	sex, birth, trailing string
	cardInZ              bool   // health card only in ZPI
	age                  string // sent where no birth date is known
	wide                 bool   // phone in full-width digits
	runs                 bool   // name in several formatted runs
	doctor               Staff  // whom the resident has a contract with
}

func newCity(s *story) *city {
	return &city{
		s:        s,
		sexForms: newWheel(s.r, "letter", "letter", "letter", "han"),
		charsets: newWheel(s.r, "GB 18030-2000", "GB 18030-2000", "GB 18030-2000", "GB 18030-2000", "", "GB 18030-2000", "", "UNICODE UTF-8"),
		lines:    newWheel(s.r, `\.br\`, `\X0D\`, "~"),
	}
}

func (c *city) style() patientStyle {
	return patientStyle{sex: c.sexForms.next(), cardInZ: c.s.r.intn(4) == 0}
}

func (c *city) delivery(dir string, perFile int) *cityDelivery {
	d := &cityDelivery{dir: dir, perFile: perFile}
	c.deliveries = append(c.deliveries, d)
	return d
}

// send adds a message. The MSH-7 time is the event's, a few seconds on, so that no
// two messages share a stamp.
func (c *city) send(d *cityDelivery, system, kind string, at time.Time, p *Patient, segs ...string) *message {
	c.s.serial["msgsec"]++
	at = at.Add(time.Duration(1+c.s.serial["msgsec"]%55) * time.Second)
	m := &message{at: at, record: &Record{Institution: City, Kind: kind, Fate: Committed}}
	if p != nil {
		m.record.Patient = p.ID
	}
	m.record.Key = c.s.number("ctl"+system, system+"%07d", 100000)
	charset := c.charsets.next()
	m.segs = append([]string{c.header(system, kind, m.record.Key, charset, at)}, segs...)
	switch charset {
	case "":
		c.s.trapOnce("missing-msh18", 3, m.record)
	case "UNICODE UTF-8":
		c.s.trapOnce("lying-msh18", 3, m.record)
	default:
		c.s.trapOnce("declared-gb18030", 3, m.record)
	}
	c.s.records = append(c.s.records, m.record)
	d.messages = append(d.messages, m)
	return m
}

func (c *city) header(system, kind, control, charset string, at time.Time) string {
	return `MSH|^~\&` + strings.TrimPrefix(segment("", fields{
		2: system, 3: "HYSYY", 4: "YILIAN", 5: "HYYLT", 6: hl7Time(at), 8: kind, 9: control, 10: "P", 11: "2.4", 17: charset,
	}), "|")
}

// redeclare changes what the header says about the charset.
func (m *message) redeclare(charset string) {
	f := strings.Split(m.segs[0], "|")
	for len(f) < 18 {
		f = append(f, "")
	}
	f[17] = charset
	m.segs[0] = strings.Join(f[:18], "|")
	m.utf8 = charset == "UNICODE UTF-8"
}

// trapOnce records a trap at most n times: enough to find it, not a census.
func (s *story) trapOnce(name string, n int, places ...any) {
	for _, t := range s.traps {
		if t.name == name && len(t.records)+len(t.places) >= n {
			return
		}
	}
	s.trap(name, places...)
}

func (c *city) sex(p *Patient) string {
	letter := map[string]string{"male": "M", "female": "F", "unknown": "U"}[p.Sex]
	if p.style.sex == "han" && p.Sex != "unknown" {
		return map[string]string{"male": "男", "female": "女"}[p.Sex]
	}
	return letter
}

func cityMR(id string) string { return comp(id, "", "", "HYSYY", "MR") }

// pid writes the patient with all that is known; sparse leaves PID-3 and PID-5.
func (c *city) pid(p *Patient, sparse bool) string {
	if sparse {
		return segment("PID", fields{1: "1", 3: cityMR(p.ID), 5: esc(p.Name)})
	}
	ids := []string{cityMR(p.ID)}
	for _, id := range p.Identifiers {
		switch id.Kind {
		case ResidentID, Placeholder:
			ids = append(ids, comp(id.Sent, "", "", "GA", "NI"))
		case HealthCard:
			if !p.style.cardInZ {
				ids = append(ids, comp(id.Sent, "", "", "WJW", "HC"))
			}
		case Passport:
			ids = append(ids, comp(id.Sent, "", "", "", "PPN"))
		}
	}
	name := esc(p.Name)
	if p.Pinyin != "" {
		n := fullName{p.Name, p.Pinyin}
		name = comp(p.Name, "", "", "", "", "", "L", "I") + "~" + comp(n.family(), n.given(), "", "", "", "", "L", "P")
	}
	birth := p.Birth.t.Format("20060102")
	if p.Birth.precision == Second {
		birth = p.Birth.t.Format("200601021504")
	}
	f := fields{
		1: "1", 3: strings.Join(ids, "~"), 5: name, 7: birth, 8: c.sex(p),
		11: comp(p.Address, "", "衡远市", "", "990100", "CHN", "H"),
		16: p.Marital, 22: comp(p.Ethnicity, ethnicName(p.Ethnicity), "GB3304"), 26: "CHN",
	}
	if p.Address == "" {
		f[11] = ""
	}
	if p.Phone != "" {
		f[13] = comp(p.Phone, "PRN", "CP")
	}
	if p.Deceased != nil {
		f[29], f[30] = hl7When(*p.Deceased), "Y"
	}
	if p.Mother != "" {
		f[21], f[24], f[25] = cityMR(p.Mother), "N", "1"
		f[16] = ""
	}
	return segment("PID", f)
}

func ethnicName(code string) string {
	for _, e := range ethnicities {
		if e[0] == code {
			return e[1]
		}
	}
	return ""
}

// person are the segments that go with a full PID.
func (c *city) person(p *Patient) []string {
	out := []string{c.pid(p, false)}
	if p.Contact != nil {
		out = append(out, segment("NK1", fields{1: "1", 2: esc(p.Contact.Name), 3: comp(p.Contact.Relation, relationName(p.Contact.Relation)), 5: comp(p.Contact.Phone, "PRN", "CP")}))
	}
	return out
}

func relationName(code string) string {
	for _, r := range relationRows() {
		if r.Code == code {
			return r.Name
		}
	}
	return ""
}

func (c *city) zpi(p *Patient) string {
	f := fields{1: "1", 3: "01"}
	for _, id := range p.Identifiers {
		switch id.Kind {
		case HealthCard:
			f[2] = id.Sent
		case HealthRecord:
			f[4] = id.Sent
		}
	}
	return segment("ZPI", f)
}

func (c *city) pv1(v *Visit) string {
	c.s.mention(City, v.Department, v.Bed, v.Doctor)
	f := fields{
		1: "1", 2: v.LocalClass, 3: comp(v.Department.Code, ward(v), v.Bed, "HYSYY"),
		7: comp(v.Doctor.Number, v.Doctor.Name), 10: v.Department.Code,
		14: v.AdmitSource, 19: comp(v.Number, "", "", "HYSYY", "VN"), 36: v.Disposition, 44: hl7When(v.Start),
	}
	if v.Status == "planned" {
		f[44] = ""
	}
	if v.End != nil {
		f[45] = hl7When(*v.End)
	}
	return segment("PV1", f)
}

func ward(v *Visit) string {
	if v.Bed == "" {
		return ""
	}
	return v.Department.Code + "01"
}

// adt sends an ADT message: the patient as now known, the visit if there is one, with
// diagnoses and the patient's allergies where the event carries them.
func (c *city) adt(d *cityDelivery, event string, at time.Time, p *Patient, v *Visit) *message {
	segs := []string{segment("EVN", fields{1: event, 2: hl7Time(at), 6: hl7Time(at)})}
	segs = append(segs, c.person(p)...)
	if v == nil {
		segs = append(segs, segment("PV1", fields{1: "1", 2: "N"}))
	} else {
		segs = append(segs, c.pv1(v))
		if v.Status == "planned" {
			segs = append(segs, segment("PV2", fields{8: hl7When(v.Start)}))
		}
	}
	for i, a := range p.person.Allergies {
		if a.Institution == City && a.Patient == p.ID && event != "A11" {
			segs = append(segs, segment("AL1", fields{1: strconv.Itoa(i + 1), 2: map[string]string{"medication": "DA", "food": "FA", "environment": "EA"}[a.Category], 3: comp(a.Allergen.Code, a.Allergen.Text), 5: esc(a.Reaction)}))
		}
	}
	if v != nil {
		segs = append(segs, c.dg1(v)...)
	}
	segs = append(segs, c.zpi(p))
	return c.send(d, "HIS", "ADT^"+event, at, p, segs...)
}

func (c *city) dg1(v *Visit) []string {
	kind := "W"
	if v.Class == "IMP" || v.Class == "PRENC" {
		kind = "A"
		if v.Status == "finished" {
			kind = "F"
		}
	}
	var out []string
	for _, dx := range v.Diagnoses {
		out = append(out, segment("DG1", fields{1: strconv.Itoa(dx.Rank), 3: comp(dx.Code, dx.Text, "ICD-10-CN"), 5: hl7When(v.Start), 6: kind, 15: strconv.Itoa(dx.Rank)}))
	}
	return out
}

// merge sends A40: the surviving patient in PID, the retired number in MRG.
func (c *city) merge(d *cityDelivery, at time.Time, survivor, retired *Patient) *message {
	retired.MergedInto = survivor.ID
	return c.send(d, "HIS", "ADT^A40", at, survivor,
		segment("EVN", fields{1: "A40", 2: hl7Time(at), 6: hl7Time(at)}),
		c.pid(survivor, false), segment("MRG", fields{1: cityMR(retired.ID), 7: esc(retired.Name)}))
}

// order sends orders of one form: ORM for a single one, OML for laboratory groups.
func (c *city) order(d *cityDelivery, kind, control string, at time.Time, p *Patient, v *Visit, orders ...*Order) *message {
	segs := []string{c.pid(p, kind == "ORM^O01" && control != "NW")}
	if v != nil {
		c.s.mention(City, v.Department, v.Bed, v.Doctor)
		segs = append(segs, segment("PV1", fields{1: "1", 2: v.LocalClass, 3: comp(v.Department.Code, ward(v), v.Bed, "HYSYY"), 7: comp(v.Doctor.Number, v.Doctor.Name), 19: comp(v.Number, "", "", "HYSYY", "VN")}))
	}
	for i, o := range orders {
		c.s.mention(City, Coded{}, "", o.Requester)
		priority := map[string]string{"routine": "R", "stat": "S", "asap": "A"}[o.Priority]
		orc := fields{1: control, 2: comp(o.Number, "HIS"), 7: comp("", "", "", "", "", priority), 9: hl7When(o.Ordered), 12: comp(o.Requester.Number, o.Requester.Name)}
		if o.Group != "" {
			orc[4] = comp(o.Group, "HIS")
		}
		if control == "SC" {
			orc[5] = map[string]string{"completed": "CM", "active": "IP"}[o.Status]
		}
		obr := fields{1: strconv.Itoa(i + 1), 2: comp(o.Number, "HIS"), 4: comp(o.Item.Code, o.Item.Text, "L"), 13: esc(o.Reason), 16: comp(o.Requester.Number, o.Requester.Name), 24: o.panel.section, 27: comp("", "", "", "", "", priority)}
		if o.panel.specimen != "" {
			sp := specimenAt(City, o.panel.specimen)
			obr[15] = sp.Code + "&" + esc(sp.Text)
		}
		segs = append(segs, segment("ORC", orc), segment("OBR", obr))
	}
	return c.send(d, "HIS", kind, at, p, segs...)
}

// result sends the reports of one message as they now stand.
func (c *city) result(d *cityDelivery, at time.Time, p *Patient, v *Visit, sparse bool, reports ...*Report) *message {
	segs := []string{c.pid(p, sparse)}
	if v != nil {
		c.s.mention(City, v.Department, v.Bed)
		segs = append(segs, segment("PV1", fields{1: "1", 2: v.LocalClass, 3: comp(v.Department.Code, ward(v), v.Bed, "HYSYY"), 19: comp(v.Number, "", "", "HYSYY", "VN")}))
	}
	system := "LIS"
	for i, rep := range reports {
		system = map[string]string{"laboratory": "LIS", "microbiology": "LIS", "imaging": "RIS", "ecg": "ECG", "pathology": "PIS"}[rep.Kind]
		segs = append(segs, c.obr(rep, i+1, system))
		if rep.Remark != "" {
			segs = append(segs, segment("NTE", fields{1: "1", 2: "L", 3: esc(rep.Remark)}))
		}
		segs = append(segs, c.obx(rep, system)...)
		rep.Visit = ""
		if v != nil {
			rep.Visit = v.Number
		}
	}
	return c.send(d, system, "ORU^R01", at, p, segs...)
}

func (c *city) obr(rep *Report, n int, system string) string {
	status := map[string]string{"preliminary": "P", "final": "F", "corrected": "C", "entered-in-error": "X"}[rep.Status]
	c.s.mention(City, Coded{}, "", rep.Author)
	f := fields{
		1: strconv.Itoa(n), 3: comp(rep.Number, system), 4: comp(rep.Item.Code, rep.Item.Text, "L"), 7: hl7When(rep.Collected),
		22: hl7When(rep.Issued), 24: rep.Section, 25: status, 32: rep.Author.Number + "&" + esc(rep.Author.Name),
	}
	if rep.Order != nil {
		f[2] = comp(rep.Order.Number, "HIS")
	}
	if rep.Specimen.Code != "" {
		f[15] = rep.Specimen.Code + "&" + esc(rep.Specimen.Text)
		f[14] = hl7Time(rep.Collected.t.Add(25 * time.Minute))
	}
	if rep.Study != nil {
		f[18] = rep.Study.Accession
	}
	if rep.Kind == "pathology" {
		f[20] = rep.SpecimenNumber
	}
	return segment("OBR", f)
}

func (c *city) obx(rep *Report, system string) []string {
	var out []string
	status := func(res string) string {
		return map[string]string{"preliminary": "P", "final": "F", "corrected": "C", "entered-in-error": "D"}[res]
	}
	for _, res := range rep.Results {
		f := fields{
			1: strconv.Itoa(len(out) + 1), 2: "ST", 3: comp(res.Item.Code, res.Item.Text, system), 4: res.SubID,
			5: esc(res.Value.Sent), 6: esc(res.Value.Unit), 7: esc(res.Range.Text), 8: res.Flag, 11: status(res.Status), 14: hl7When(rep.Issued),
		}
		switch v := res.Value; {
		case v.Kind == Quantity && v.Comparator != "" && len(out)%2 == 0:
			f[2], f[5] = "SN", v.Comparator+"^"+v.Number
			c.s.trapOnce("sn-comparator", 3, rep)
		case v.Kind == Quantity:
			f[2] = "NM"
		case v.Kind == Text && v.Code != "":
			f[2], f[5] = "CE", comp(v.Code, v.Text, "L")
		case v.Kind == Ratio:
			f[2], f[5] = "SN", "^"+v.Numerator+"^:^"+v.Denominator
		}
		out = append(out, segment("OBX", f))
		if res.Note != "" {
			out = append(out, segment("NTE", fields{1: "1", 2: "L", 3: esc(res.Note)}))
		}
	}
	n := len(rep.Results)
	narrative := func(code, name, text string) {
		n++
		// Lines become repetitions or one of two escapes, as the sending system likes.
		lines := strings.ReplaceAll(esc(text), `\.br\`, c.lines.next())
		out = append(out, segment("OBX", fields{1: strconv.Itoa(n), 2: "TX", 3: code + "^" + esc(name) + "^" + system, 5: lines, 11: status(rep.Status), 14: hl7When(rep.Issued)}))
	}
	switch rep.Kind {
	case "imaging":
		narrative(rep.Item.Code+"&GDT", "检查所见", rep.Findings)
		narrative(rep.Item.Code+"&IMP", "检查结论", rep.Conclusion)
	case "ecg":
		narrative("ECG_SJ", "心电图所见", rep.Findings)
		narrative("ECG_ZD", "心电图诊断", rep.Conclusion)
	case "pathology":
		gross, microscopic, _ := strings.Cut(rep.Findings, "\n")
		narrative("BL_DT", "大体所见", gross)
		narrative("BL_JX", "镜下所见", microscopic)
		narrative("BL_ZD", "病理诊断", rep.Conclusion)
	}
	also := func(kind, item, value string) {
		n++
		out = append(out, segment("OBX", fields{1: strconv.Itoa(n), 2: kind, 3: item, 5: value, 11: status(rep.Status), 14: hl7When(rep.Issued)}))
	}
	if st := rep.Study; st != nil {
		also("ST", comp("113014", "检查实例号", "DCM"), st.UID)
		also("NM", comp("YX_XL", "序列数", system), strconv.Itoa(st.Series))
		also("NM", comp("YX_FS", "图像数", system), strconv.Itoa(st.Instances))
		also("RP", comp("YX_DZ", "影像浏览地址", system), comp(st.Viewer, "HYPACS", "TEXT", "HTML"))
	}
	for i, p := range rep.papers {
		also("ED", comp(p.code, rep.Attachments[i].Title, system), comp("HY"+system, p.kind, p.subtype, "Base64", base64.StdEncoding.EncodeToString(p.bytes)))
	}
	return out
}

// refer sends REF^I12.
func (c *city) refer(d *cityDelivery, at time.Time, p *Patient, v *Visit, r *Referral) *message {
	member := map[string]string{City: "HYSYY", County: "QYXYY"}
	c.s.mention(City, v.Department, "", r.Requester)
	rf1 := fields{
		1: r.LocalStatus, 2: map[string]string{"routine": "R", "stat": "S", "urgent": "A"}[r.Priority],
		3: map[string]string{"up": "1^上转", "down": "2^下转"}[r.Direction], 6: r.Number, 7: hl7When(r.Date), 10: esc(r.Reason),
	}
	if r.Answers != nil {
		rf1[11] = r.Answers.Number
	}
	segs := []string{
		segment("RF1", rf1),
		segment("PRD", fields{1: "RP", 2: esc(r.Requester.Name), 4: comp(v.Department.Code, "", "", member[r.From]), 7: r.Requester.Number}),
		segment("PRD", fields{1: "RT", 4: comp("", "", "", member[r.To])}),
		c.pid(p, false),
	}
	for i, dx := range r.Diagnoses {
		segs = append(segs, segment("DG1", fields{1: strconv.Itoa(i + 1), 3: comp(dx.Code, dx.Text, "ICD-10-CN"), 6: "F"}))
	}
	segs = append(segs, segment("PV1", fields{1: "1", 2: v.LocalClass, 19: comp(v.Number, "", "", "HYSYY", "VN")}))
	if r.Summary != "" {
		segs = append(segs, segment("NTE", fields{1: "1", 2: "L", 3: esc(r.Summary)}))
	}
	return c.send(d, "HIS", "REF^I12", at, p, segs...)
}

// book sends SIU^S12.
func (c *city) book(d *cityDelivery, at time.Time, p *Patient, a *Appointment) *message {
	c.s.mention(City, a.Department, "", a.Doctor)
	minutes := strconv.Itoa(int(a.End.t.Sub(a.Start.t).Minutes()))
	return c.send(d, "HIS", "SIU^S12", at, p,
		segment("SCH", fields{2: comp(a.Number, "HIS"), 7: esc(a.Reason), 9: minutes, 10: "min", 11: comp("", "", minutes, hl7When(a.Start), hl7When(a.End)), 25: "Booked"}),
		c.pid(p, false),
		segment("RGS", fields{1: "1", 2: "A"}),
		segment("AIG", fields{1: "1", 2: "A", 3: comp(a.Department.Code, a.Department.Text)}),
		segment("AIP", fields{1: "1", 2: "A", 3: comp(a.Doctor.Number, a.Doctor.Name)}))
}

// again sends the same bytes once more: a retransmission.
func (c *city) again(d *cityDelivery, m *message) *Record {
	r := *m.record
	r.Fate, r.Reason = Duplicate, "same control id and bytes"
	c.s.records = append(c.s.records, &r)
	d.messages = append(d.messages, &message{at: m.at, segs: m.segs, utf8: m.utf8, record: &r})
	return &r
}

func (m *message) bytes() []byte {
	text := strings.Join(m.segs, "\r") + "\r"
	if m.utf8 {
		return []byte(text)
	}
	return gb18030(text)
}

// files renders the deliveries; messages of a delivery go in the order of their time.
func (c *city) files() []File {
	var out []File
	for _, d := range c.deliveries {
		slices.SortStableFunc(d.messages, func(a, b *message) int { return a.at.Compare(b.at) })
		per := d.perFile
		if per == 0 {
			per = len(d.messages)
		}
		for i := 0; i < len(d.messages); i += per {
			f := File{Path: fmt.Sprintf("deliveries/%s/%03d.hl7", d.dir, i/per+1)}
			for n, m := range d.messages[i:min(i+per, len(d.messages))] {
				f.Bytes = append(f.Bytes, m.bytes()...)
				m.record.File, m.record.Position = f.Path, n+1
			}
			out = append(out, f)
		}
	}
	return out
}
