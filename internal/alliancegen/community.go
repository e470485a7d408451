package alliancegen

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Who the community centre is in its documents.
const (
	communityName         = "衡远市城东社区卫生服务中心"
	communityOrganisation = "990102304"
)

// community tells what happens at the community centre and writes its documents. Its
// chances come from a stream of its own, so that it changes nothing of what the other
// institutions send.
type community struct {
	s      *story // a copy of the story with that stream
	ledger *Ledger
	habits *habits

	times, phones   *wheel[string]
	clinicTimes     *wheel[string]
	forms           *wheel[int] // of narratives
	empties         *wheel[bool]
	staff           map[string][]Member // by key of the department
	addresses       map[*Patient]address
	people          []*Person // whom only the centre knows
	deliveries      []*communityDelivery
	mark            *Record // the record that is being written
	bad             []File
	usedDepartments map[string]bool
	usedStaff       map[string]bool // by number: whether a document says title and department
	newcomers       int
}

type address struct{ state, city, county, township, street, house, post string }

func (a address) line() string { return a.city + a.county + a.township + a.street + a.house }

// communityDelivery is one folder of documents.
type communityDelivery struct {
	dir   string
	files []*communityFile
}

type communityFile struct {
	bytes  []byte
	record *Record
}

// communityCentre adds the community centre to a finished alliance: its files, in
// order of arrival among the others, and its facts. It is the only way in.
func (s *story) communityCentre(files []File, l *Ledger) []File {
	own := *s
	own.r = newRNG(s.seed ^ 0x636f6d6d756e6974) // "communit"
	own.traps, own.records, own.persons, own.strangers, own.reviews = nil, nil, nil, nil, nil
	c := newCommunity(&own, l)
	c.cast()
	added := c.files()
	c.badDocuments()

	deliveries := append(under(files, "deliveries/"), added...)
	slices.SortStableFunc(deliveries, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	files = append(append(deliveries, under(files, "bad/")...), c.bad...)
	c.tell(files)
	return files
}

func newCommunity(s *story, l *Ledger) *community {
	r := s.r
	c := &community{
		s: s, ledger: l, habits: newHabits(r, Community),
		times:       newWheel(r, "20060102150405", "200601021504", "20060102150405", "20060102150405-0700"),
		clinicTimes: newWheel(r, time.DateTime, "2006/1/2 15:04", "20060102150405"),
		phones:      newWheel(r, "", "tel:", ""),
		forms:       newWheel(r, inParagraphs, withBreaks, inParagraphs, inList, inContent),
		empties:     newWheel(r, true, false),
		staff:       map[string][]Member{}, addresses: map[*Patient]address{}, usedDepartments: map[string]bool{}, usedStaff: map[string]bool{},
	}
	c.habits.flagHigh, c.habits.flagLow = newWheel(r, "H", "H", "1"), newWheel(r, "L", "1")
	c.habits.flagPlain, c.habits.flagOrdinal = newWheel(r, "N", "2"), "A"
	c.habits.interpretation = map[string]string{"H": "H", "L": "L", "N": "N", "A": "A", "1": "A", "2": "N", "3": "IND"}
	for i, d := range communityDepartments {
		for n := range 2 {
			title := pick(r, communityTitles[:4])
			if d.key == "laboratory" && n == 1 {
				title = communityTitles[4]
			}
			c.staff[d.key] = append(c.staff[d.key], Member{
				Institution: Community, Number: fmt.Sprintf("SQ%d%02d", i+1, 10*n+r.intn(10)), Name: s.name(pick(r, []string{"male", "female"}), surnames, nil).han,
				Department: d.code, Title: Coded{Code: title[0], Text: title[1]},
			})
		}
	}
	return c
}

func (c *community) delivery(dir string) *communityDelivery {
	d := &communityDelivery{dir: dir}
	c.deliveries = append(c.deliveries, d)
	return d
}

// files names the files and gives each record its place.
func (c *community) files() []File {
	var out []File
	for _, d := range c.deliveries {
		for i, f := range d.files {
			path := fmt.Sprintf("deliveries/%s/%04d.xml", d.dir, i+1)
			f.record.File, f.record.Position = path, 1
			out = append(out, File{Path: path, Bytes: f.bytes})
		}
	}
	return out
}

// tell writes the facts into the ledger.
func (c *community) tell(files []File) {
	l := c.ledger
	for _, p := range c.people {
		l.Persons = append(l.Persons, *p)
	}
	l.Institutions = append(l.Institutions, Institution{Community, communityName, "未评级", "Asia/Shanghai", map[string]string{Community: communityOrganisation}})
	order := map[string]int{}
	for i, f := range files {
		order[f.Path] = i
	}
	for _, r := range c.s.records {
		l.Records = append(l.Records, *r)
	}
	slices.SortStableFunc(l.Records, func(a, b Record) int { return order[a.File] - order[b.File] })
	for _, t := range c.s.traps {
		where := slices.Clone(t.places)
		for _, r := range t.records {
			where = append(where, fmt.Sprintf("%s#%d", r.File, r.Position))
		}
		l.Traps = append(l.Traps, Trap{t.name, where})
	}
	for _, d := range communityDepartments {
		if c.usedDepartments[d.code] {
			l.Departments = append(l.Departments, Department{Institution: Community, Code: d.code, Name: d.name, Kind: "department"})
		}
	}
	for _, d := range communityDepartments {
		for _, m := range c.staff[d.key] {
			whole, used := c.usedStaff[m.Number]
			if !whole {
				m.Department, m.Title = "", Coded{}
			}
			if used {
				l.Staff = append(l.Staff, m)
			}
		}
	}
	l.Totals = totals(l)
}

// known finds somebody of the ledger by note, to be met again at the centre.
func (c *community) known(note string) *Person {
	for i := range c.ledger.Persons {
		if c.ledger.Persons[i].Note == note {
			return &c.ledger.Persons[i]
		}
	}
	panic("alliancegen: nobody is noted as " + note)
}

// meet registers somebody of the ledger, as the city or county hospital describes
// them, with the kinds of identifier asked for.
func (c *community) meet(p *Person, kinds ...string) *Patient {
	var base *Patient
	for _, institution := range []string{County, City} {
		for _, q := range p.Patients {
			if q.Institution == institution && q.MergedInto == "" {
				base = q
			}
		}
	}
	q := &Patient{Name: base.Name, Sex: base.Sex, Birth: base.Birth, Phone: base.Phone, Marital: base.Marital, Ethnicity: base.Ethnicity, person: p}
	if len(q.Marital) != 2 {
		q.Marital = "20"
	}
	if q.Phone == "" {
		q.Phone = phone(c.s.r)
	}
	if k := base.Contact; k != nil {
		q.Contact = &Contact{k.Name, c.relation(k.Relation), k.Phone}
	}
	for _, kind := range kinds {
		q.Identifiers = append(q.Identifiers, c.identifier(p, q, kind))
	}
	return c.register(q)
}

// relation gives the two digits of GB/T 4761 for the one that hospitals send.
func (c *community) relation(digit string) string {
	if r := digit + "0"; slices.ContainsFunc(communityRelationRows(), func(row Code) bool { return row.Code == r }) {
		return r
	}
	return "97"
}

// identifier is a person's number of a kind: the one another institution gave, or a
// new one.
func (c *community) identifier(p *Person, q *Patient, kind string) Identifier {
	for _, have := range p.Patients {
		for _, id := range have.Identifiers {
			if id.Kind == kind && id.Usable {
				return Identifier{Kind: kind, Value: id.Value, Sent: id.Value, Usable: true}
			}
		}
	}
	r := c.s.r
	value := map[string]func() string{
		ResidentID: func() string { return residentID(r, q.Sex, q.Birth.t) },
		HealthCard: func() string { return healthCard(r) },
		HealthRecord: func() string {
			return fmt.Sprintf("9901020%02d%03d%05d", r.between(1, 9), r.between(1, 40), r.intn(1e5))
		},
	}[kind]()
	return Identifier{Kind: kind, Value: value, Sent: value, Usable: true}
}

// newcomer is somebody whom only the centre knows.
func (c *community) newcomer(note string, from, to int, kinds ...string) *Patient {
	r := c.s.r
	c.newcomers++
	p := &Person{Key: fmt.Sprintf("C%03d", c.newcomers), Note: note}
	c.people = append(c.people, p)
	q := &Patient{Sex: pick(r, []string{"male", "female"}), person: p}
	q.Birth = date(time.Date(r.between(from, to), time.Month(r.between(1, 12)), r.between(1, 28), 0, 0, 0, 0, zone))
	q.Name = c.s.name(q.Sex, surnames, nil).han
	q.Phone, q.Marital, q.Ethnicity = phone(r), pick(r, []string{"10", "20", "20", "30"}), pick(r, []string{"01", "01", "03", "11"})
	q.Contact = &Contact{c.s.name(pick(r, []string{"male", "female"}), surnames, nil).han, pick(r, []string{"10", "20", "30", "50"}), phone(r)}
	for _, kind := range kinds {
		q.Identifiers = append(q.Identifiers, c.identifier(p, q, kind))
	}
	return c.register(q)
}

func (c *community) register(q *Patient) *Patient {
	r := c.s.r
	q.Institution, q.ID = Community, c.s.number("sq-patient", "SQ%07d", 1200000)
	a := address{"衡远省", "衡远市", "云溪区", pick(r, []string{"城东街道", "东湖街道"}), pick(r, streets), strconv.Itoa(r.between(1, 220)) + "号" + pick(r, []string{"", "2单元501室"}), "990102"}
	c.addresses[q], q.Address = a, a.line()
	q.person.Patients = append(q.person.Patients, q)
	return q
}

// by picks somebody of a department.
func (c *community) by(department string) Member { return pick(c.s.r, c.staff[department]) }

// mention remembers that a document names people. What it says of an author, it says
// of nobody else.
func (c *community) mention(author bool, people ...Member) {
	for _, m := range people {
		c.usedStaff[m.Number] = c.usedStaff[m.Number] || author
		if author {
			c.usedDepartments[m.Department] = true
		}
	}
}

func (m Member) staff() Staff { return Staff{m.Number, m.Name} }

// departmentOf is a department as a visit names it.
func (c *community) departmentOf(key string) Coded {
	d := communityDepartmentByKey(key)
	c.usedDepartments[d.code] = true
	return coded(d.code, d.name, systemSubject, d.subject)
}

// Ways of sending a document.
const (
	plainUTF8 = iota
	withBOM
	inGB2312
	inGBK
	lyingUTF8
	inSOAP
)

// send writes a document into a delivery and the paper into the ledger.
func (c *community) send(to *communityDelivery, d *cdaDocument, form int) *Record {
	rec := &Record{Institution: Community, Kind: d.code, Key: d.number, Patient: d.patient.ID, Fate: Committed}
	c.mark = rec
	c.mention(true, d.author)
	c.mention(false, d.signer)
	raw, paper := c.encode(d, form)
	c.s.records = append(c.s.records, rec)
	to.files = append(to.files, &communityFile{raw, rec})

	doc := &Document{
		Institution: Community, Number: d.number, Patient: d.patient.ID, Visit: d.visit.Number, Title: d.title, Date: instant(d.at), Author: d.author.staff(),
		ContentType: "text/xml", SHA256: digest(paper), Size: len(paper), Kind: map[string]string{"C0002": "outpatient-record", "C0006": "exam-report", "C0007": "lab-report"}[d.code],
	}
	doc.Code = communityDocumentCode(d.code)
	if d.report != nil {
		doc.Report = d.report.Number
	}
	if d.replaces != nil {
		doc.Replaces = d.replaces.number
	}
	for _, sec := range d.sections {
		s := Section{Title: sec.title, Text: sec.text.plain(), Code: Coded{Text: sec.display}}
		if sec.code != "" {
			s.Code = coded(sec.code, sec.display, systemLOINC, sec.code)
		}
		doc.Sections = append(doc.Sections, s)
	}
	d.patient.person.Documents = append(d.patient.person.Documents, doc)
	return rec
}

func communityDocumentCode(code string) Coded {
	for _, row := range communityDocumentTypes {
		if row.Code == code {
			return coded(code, row.Name, row.System, row.Target)
		}
	}
	panic("alliancegen: no document type " + code)
}

// encode gives the bytes that are sent and those of the document alone.
func (c *community) encode(d *cdaDocument, form int) (raw, paper []byte) {
	root := c.root(d)
	switch form {
	case withBOM:
		raw = []byte("\uFEFF" + root.document("UTF-8"))
	case inGB2312:
		raw = gb18030(root.document("GB2312", "由社区卫生服务信息系统生成"))
	case inGBK:
		raw = gb18030(root.document("GBK"))
	case lyingUTF8:
		raw = gb18030(root.document("UTF-8"))
	case inSOAP:
		paper = []byte(root.document("UTF-8"))
		return c.envelope(d, paper), paper
	default:
		raw = []byte(root.document("utf-8", "CDA Header: <id root=\"0\"/> is no number"))
	}
	return raw, raw
}

// envelope wraps a document as the platform's web service takes it.
func (c *community) envelope(d *cdaDocument, paper []byte) []byte {
	return []byte(xe("soapenv:Envelope",
		xe("soapenv:Header", xe("web:Sender", xe("web:orgCode", communityOrganisation), xe("web:sysCode", "EMR"), xe("web:sendTime", d.at.Add(time.Minute).Format("20060102150405")),
			xe("web:sign", digest([]byte(d.number))[:32]))),
		xe("soapenv:Body", xe("web:submitDocument", xe("web:docType", d.code), xe("web:docNo", d.number), xe("web:payload", cdata(paper)))),
	).has("xmlns:soapenv", "http://schemas.xmlsoap.org/soap/envelope/", "xmlns:web", "http://platform.hengyuan.example/ws").document("UTF-8"))
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// again sends the last document of a delivery once more.
func (c *community) again(to *communityDelivery, rec *Record) *Record {
	for _, d := range c.deliveries {
		for _, f := range d.files {
			if f.record == rec {
				dup := *rec
				dup.Fate, dup.Reason = Duplicate, "same document and bytes"
				c.s.records = append(c.s.records, &dup)
				to.files = append(to.files, &communityFile{f.bytes, &dup})
				return &dup
			}
		}
	}
	panic("alliancegen: no such document")
}
