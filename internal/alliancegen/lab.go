package alliancegen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// lab writes the documents of the regional laboratory.
type lab struct {
	s          *story
	times      *wheel[string]
	deliveries []*labDelivery
}

type labDelivery struct {
	dir  string
	docs []*labDoc
}

type labDoc struct {
	bytes  []byte
	record *Record
}

var labMember = map[string]string{City: "A01", County: "B02", Township: "C21"}

// The vendor's document: keys as such vendors mix them.
type labMessage struct {
	MsgID    string       `json:"msgId"`
	MsgType  string       `json:"msgType"`
	SendTime string       `json:"sendTime"`
	Sender   labSender    `json:"sender"`
	Patient  labPatient   `json:"patient"`
	Report   labReport    `json:"report"`
	Items    []labItem    `json:"items,omitempty"`
	Cultures []labCulture `json:"cultures,omitempty"`
}

type labSender struct {
	OrgCode     string `json:"orgCode"`
	OrgName     string `json:"orgName"`
	PatientNo   string `json:"patientNo,omitempty"`
	ApplyNo     string `json:"applyNo,omitempty"`
	VisitNo     string `json:"visitNo,omitempty"`
	DeptName    string `json:"deptName"`
	ApplyDoctor string `json:"applyDoctor"`
}

type labPatient struct {
	SubjectNo string  `json:"subjectNo"`
	Name      string  `json:"姓名"`
	Sex       string  `json:"sex"`
	Birthday  string  `json:"birthday,omitempty"`
	Age       string  `json:"age,omitempty"`
	IDType    string  `json:"idType,omitempty"`
	IDNo      *string `json:"idNo"` // null or empty where not given
	Card      string  `json:"健康卡号,omitempty"`
	Phone     string  `json:"phone,omitempty"`
}

type labReport struct {
	ReportNo      string      `json:"reportNo"`
	Version       int         `json:"version"`
	Status        string      `json:"status"`
	PackCode      string      `json:"packCode"`
	PackName      string      `json:"packName"`
	Category      string      `json:"category"`
	Specimen      labSpecimen `json:"specimen"`
	TestTime      string      `json:"testTime"`
	AuditTime     string      `json:"auditTime"`
	Tester        string      `json:"tester"`
	Auditor       string      `json:"auditor"`
	Mark          string      `json:"mtuRecMark"`
	CultureResult string      `json:"cultureResult,omitempty"`
	CorrectReason string      `json:"correctReason,omitempty"`
	Remark        string      `json:"remark,omitempty"`
}

type labSpecimen struct {
	Barcode     string `json:"barcode"`
	Type        string `json:"type"`
	TypeName    string `json:"typeName"`
	CollectTime string `json:"collectTime"`
	ReceiveTime string `json:"receiveTime"`
}

type labItem struct {
	Seq    int             `json:"seq"`
	Code   string          `json:"itemCode"`
	Name   string          `json:"itemName"`
	Result json.RawMessage `json:"result"` // string, number or null
	Unit   string          `json:"unit"`
	Range  string          `json:"refRange"`
	Flag   string          `json:"resultFlag"`
	Method string          `json:"method,omitempty"`
}

type labCulture struct {
	Seq        int             `json:"序号"`
	Code       string          `json:"菌名代码"`
	Name       string          `json:"菌名"`
	Amount     string          `json:"菌量"`
	Antibiotic []labAntibiotic `json:"药敏"`
}

type labAntibiotic struct {
	Code    string `json:"抗生素代码"`
	Name    string `json:"抗生素"`
	Method  string `json:"方法"`
	Result  string `json:"结果"`
	Unit    string `json:"单位"`
	Verdict string `json:"判读"`
}

func newLab(s *story) *lab {
	return &lab{s: s, times: newWheel(s.r, "2006-01-02 15:04:05", time.RFC3339, "utc", "2006-01-02 15:04:05")}
}

func (l *lab) delivery(dir string) *labDelivery {
	d := &labDelivery{dir: dir}
	l.deliveries = append(l.deliveries, d)
	return d
}

// when writes a moment; the laboratory's Z is true.
func (l *lab) when(t time.Time) string {
	form := l.times.next()
	if form == "utc" {
		return t.UTC().Format(time.RFC3339)
	}
	return t.Format(form)
}

// request is what the laboratory knows of the sender's side.
type request struct {
	sender     string // institution id; empty: the clinic that is no member
	order      *Order
	visit      bool
	department string
}

// send writes a report as it now stands.
func (l *lab) send(d *labDelivery, at time.Time, rep *Report, p *Patient, req request) *labDoc {
	kind := map[string]string{"final": "REPORT", "corrected": "CORRECT", "entered-in-error": "CANCEL"}[rep.Status]
	msg := labMessage{
		MsgID: l.s.number("labmsg", "RLM%08d", 600000), MsgType: kind, SendTime: at.Format(time.RFC3339),
		Sender:  l.senderOf(rep, p, req),
		Patient: l.patient(p),
		Report: labReport{
			ReportNo: rep.Number, Version: len(rep.States), Status: map[string]string{"REPORT": "1", "CORRECT": "2", "CANCEL": "3"}[kind],
			PackCode: rep.Item.Code, PackName: rep.Item.Text, Category: rep.Section,
			Specimen: labSpecimen{
				Barcode: "99" + strings.TrimLeft(rep.Number, "QY"), Type: rep.Specimen.Code, TypeName: rep.Specimen.Text,
				CollectTime: rep.Collected.t.Format(time.DateTime), ReceiveTime: l.when(rep.Collected.t.Add(3 * time.Hour)),
			},
			TestTime: l.when(rep.Issued.t.Add(-40 * time.Minute)), AuditTime: l.when(rep.Issued.t),
			Tester: rep.Author.Name, Auditor: rep.Author.Name, Mark: "0", Remark: rep.Remark,
		},
	}
	switch kind {
	case "CORRECT":
		msg.Report.CorrectReason = "复检后更正"
	case "CANCEL":
		msg.Report.CorrectReason = "标本信息核对有误,报告作废"
	}
	rep.SpecimenNumber = msg.Report.Specimen.Barcode
	isolates := map[int]int{}
	for _, res := range rep.Results {
		l.result(&msg, res, isolates)
	}
	for _, it := range msg.Items {
		if it.Result[0] >= '0' && it.Result[0] <= '9' {
			l.s.trapOnce("json-number", 3, rep)
		}
	}
	if rep.Kind == "microbiology" {
		msg.Report.CultureResult = map[bool]string{true: "2", false: "1"}[len(msg.Cultures) > 0]
	}
	doc := &labDoc{record: &Record{Institution: Lab, Kind: kind, Key: msg.MsgID, Patient: p.ID, Fate: Committed}, bytes: encode(msg)}
	l.s.records = append(l.s.records, doc.record)
	d.docs = append(d.docs, doc)
	return doc
}

// encode writes a document readably and without HTML escapes.
func encode(msg labMessage) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(msg); err != nil {
		panic(err) // plain values and valid raw numbers
	}
	return b.Bytes()
}

func (l *lab) senderOf(rep *Report, p *Patient, req request) labSender {
	out := labSender{OrgCode: "C17", OrgName: "青崖县石桥镇卫生院", DeptName: "全科", ApplyDoctor: l.s.doctors[Lab][0].Name}
	if req.sender != "" {
		out.OrgCode, out.OrgName = labMember[req.sender], institutionName(req.sender)
		out.ApplyDoctor = l.s.doctors[req.sender][0].Name
		out.DeptName = "内科"
	}
	if req.department != "" {
		out.DeptName = req.department
	}
	for _, id := range p.Identifiers {
		if id.Kind == SenderNumber {
			out.PatientNo = id.Sent
		}
	}
	if rep.Order != nil {
		out.ApplyNo = rep.Order.Number
	}
	if req.order != nil {
		out.ApplyDoctor = req.order.Requester.Name
		if req.visit {
			out.VisitNo = req.order.Visit
		}
	}
	return out
}

func (l *lab) patient(p *Patient) labPatient {
	out := labPatient{SubjectNo: p.ID, Name: p.Name, Sex: map[string]string{"male": "1", "female": "2", "unknown": "9"}[p.Sex], Phone: p.Phone}
	if p.Birth.precision == "" {
		out.Age = p.style.age
	} else {
		out.Birthday = p.Birth.t.Format(time.DateOnly)
	}
	for _, id := range p.Identifiers {
		switch id.Kind {
		case ResidentID, Placeholder:
			sent := id.Sent
			out.IDType, out.IDNo = "01", &sent
		case HealthCard:
			out.Card = id.Sent
		}
	}
	if out.IDNo == nil && out.Card != "" {
		empty := "" // asked for and not known, where null was never asked for
		out.IDNo = &empty
	}
	return out
}

func (l *lab) result(msg *labMessage, res Result, isolates map[int]int) {
	if res.Isolate > 0 {
		if res.Value.Kind == Text {
			isolates[res.Isolate] = len(msg.Cultures)
			msg.Cultures = append(msg.Cultures, labCulture{Seq: res.Isolate, Code: res.Value.Code, Name: res.Value.Text, Amount: res.Note})
			return
		}
		c := &msg.Cultures[isolates[res.Isolate]]
		c.Antibiotic = append(c.Antibiotic, labAntibiotic{res.Item.Code, res.Item.Text, "MIC", res.Value.Sent, res.Value.Unit, res.Flag})
		return
	}
	name := res.Item.Text
	if res.Marked {
		name, msg.Report.Mark = "【全国HR】"+name, "1"
	}
	msg.Items = append(msg.Items, labItem{Seq: len(msg.Items) + 1, Code: res.Item.Code, Name: name, Result: labValue(res), Unit: res.Value.Unit, Range: res.Range.Text, Flag: res.Flag})
}

// labValue writes some plain numbers as JSON numbers, whose digits count like a text's.
func labValue(res Result) json.RawMessage {
	switch v := res.Value; {
	case v.Kind == Absent && v.Sent == "":
		return json.RawMessage("null")
	case v.Kind == Quantity && v.Comparator == "" && res.Occurrence == 1 && len(v.Number)%2 == 0:
		return json.RawMessage(v.Number)
	default:
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v.Sent); err != nil {
			panic(err) // a string always encodes
		}
		return bytes.TrimSpace(b.Bytes())
	}
}

// culture gives a report isolates with susceptibilities; none means no growth.
func (l *lab) culture(rep *Report, isolates int) {
	r := l.s.r
	rep.Culture = "negative"
	first := r.intn(len(organisms))
	for n := 1; n <= isolates; n++ {
		rep.Culture = "positive"
		o := organisms[(first+n)%len(organisms)]
		rep.Results = append(rep.Results, Result{
			Item: rep.Item, Occurrence: n, Isolate: n, Status: "final", Note: pick(r, []string{"+++", ">10^5 CFU/mL", "少量"}),
			Value: Value{Kind: Text, Text: o.name, Code: o.code, Sent: o.name},
		})
		for _, a := range shuffled(r, antibiotics)[:4] {
			cmp := pick(r, []string{"<=", ">=", "", "<="})
			num := pick(r, []string{"0.25", "1", "4", "0.5", "16", "32"})
			verdict := pick(r, []string{"S", "I", "R"})
			rep.Results = append(rep.Results, Result{
				Item: coded(a.code, a.name, systemLOINC, a.loinc), Occurrence: 1, Isolate: n, Status: "final", Flag: verdict, Interpret: verdict,
				Value: Value{Kind: Quantity, Comparator: cmp, Number: num, Unit: "μg/mL", UCUM: "ug/mL", Sent: cmp + num},
			})
		}
	}
}

// again sends the same document once more.
func (l *lab) again(d *labDelivery, doc *labDoc) *Record {
	r := *doc.record
	r.Fate, r.Reason = Duplicate, "same message id and bytes"
	l.s.records = append(l.s.records, &r)
	d.docs = append(d.docs, &labDoc{doc.bytes, &r})
	return &r
}

func (l *lab) files() []File {
	var out []File
	for _, d := range l.deliveries {
		for i, doc := range d.docs {
			f := File{Path: fmt.Sprintf("deliveries/%s/%04d.json", d.dir, i+1), Bytes: doc.bytes}
			doc.record.File, doc.record.Position = f.Path, 1
			out = append(out, f)
		}
	}
	return out
}
