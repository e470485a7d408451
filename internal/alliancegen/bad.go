package alliancegen

import (
	"bytes"
	"fmt"
	"strings"
)

// Reasons why a record is quarantined: what is wrong with it, not how an engine
// words it.
const (
	Truncated   = "truncated"   // ends before what it must carry
	Charset     = "charset"     // bytes that are no text in any declared or likely charset
	Syntax      = "syntax"      // not the format it claims
	Columns     = "columns"     // a row with fewer cells than the header
	Formula     = "formula"     // text that a spreadsheet would run
	ControlChar = "control"     // NUL bytes
	Limit       = "limit"       // too deep or too many repetitions
	Version     = "version"     // a version nobody agreed on
	Unknown     = "institution" // from an institution that is no member
	Identity    = "identity"    // no patient to hang it on
)

// NobodyHospital is the institution of a bad delivery that no alliance has.
const NobodyHospital = "nobody-hospital"

// badMaker collects bad files. Good records stand before and after the bad ones, so
// that a test sees the rest go on.
type badMaker struct {
	s     *story
	files []File
	out   Bad
}

func (s *story) bad() ([]File, Bad) {
	b := &badMaker{s: s}
	b.er7()
	b.rows()
	b.documents()
	b.stranger()
	return b.files, b.out
}

func (b *badMaker) record(path string, position int, institution, kind, key, reason string) {
	fate := Committed
	if reason != "" {
		fate = Quarantined
	}
	b.out.Records = append(b.out.Records, Record{File: path, Position: position, Institution: institution, Kind: kind, Key: key, Fate: fate, Reason: reason})
}

// aside invents a patient of bad/, who is no person of the ledger.
func (b *badMaker) aside(institution string) *Patient {
	s := b.s
	h := s.human("bad")
	s.persons = s.persons[:len(s.persons)-1]
	var p *Patient
	switch institution {
	case City:
		p = s.atCity(h, only(ResidentID), func(p *Patient) { p.Pinyin = "" })
	case County:
		p = s.atCounty(h, only(ResidentID))
	}
	return p
}

func (b *badMaker) er7() {
	s := b.s
	path := "bad/01-city-hospital-adt/001.hl7"
	var file []byte
	n := 0
	message := func(reason string, bend func([]byte) []byte) {
		n++
		p := b.aside(City)
		scrap := &cityDelivery{}
		m := s.city.adt(scrap, "A28", s.at(28, 9, n), p, nil)
		s.records = s.records[:len(s.records)-1]
		m.redeclare("GB 18030-2000")
		m.utf8 = false
		raw := bend(m.bytes())
		file = append(file, raw...)
		b.record(path, n, City, "ADT^A28", m.record.Key, reason)
		if reason == "" {
			b.out.Patients = append(b.out.Patients, p)
		}
	}
	whole := func(raw []byte) []byte { return raw }
	message("", whole)
	message(Truncated, func(raw []byte) []byte { // inside the header, before the message type
		return append(bytes.Clone(raw[:bytes.Index(raw, []byte("||ADT"))]), '\r')
	})
	message("", whole)
	message(Identity, func(raw []byte) []byte { // after EVN
		return bytes.Clone(raw[:bytes.Index(raw, []byte("PID|"))])
	})
	message(Charset, func(raw []byte) []byte { // 0xFF begins no character anywhere
		at := bytes.Index(raw, []byte("^HYSYY^MR")) + len("^HYSYY^MR")
		at += bytes.IndexByte(raw[at:], '|') + 2
		return append(append(bytes.Clone(raw[:at]), 0xFF, 0xFF, 0xFE), raw[at:]...)
	})
	message(Limit, func(raw []byte) []byte { // ten thousand phone numbers
		return bytes.Replace(raw, []byte("^PRN^CP"), []byte("^PRN^CP"+strings.Repeat("~1", 10_000)), 1)
	})
	message(ControlChar, func(raw []byte) []byte {
		return bytes.Replace(raw, []byte("^^HYSYY^MR"), []byte("\x00\x00^^HYSYY^MR"), 1)
	})
	message(Version, func(raw []byte) []byte {
		return bytes.Replace(raw, []byte("|P|2.4|"), []byte("|P|9.9|"), 1)
	})
	message("", whole)
	b.files = append(b.files, File{path, file})
}

func (b *badMaker) rows() {
	s := b.s
	dir := "bad/02-county-hospital-nightly"
	n := &night{dir: dir, missing: map[string][]string{}, rows: map[string][]*row{}}
	for i, reason := range []string{"", Columns, "", Formula, ""} {
		p := b.aside(County)
		if reason == Formula {
			p.Name = "=cmd|' /C calc'!A0"
		}
		rec := s.county.patient(n, p, s.at(28, 8, i))
		s.records = s.records[:len(s.records)-1]
		rec.Fate, rec.Reason = Committed, reason
		if reason == "" {
			b.out.Patients = append(b.out.Patients, p)
		}
	}
	e := extracts[0]
	path := dir + "/" + e.name + ".csv"
	text := s.county.render(n, e, n.rows[e.name], path)
	lines := strings.SplitAfter(text, "\r\n")
	cells := strings.Split(lines[2], ",")
	lines[2] = strings.Join(cells[:6], ",") + "\r\n"
	b.files = append(b.files, File{path, gb18030(strings.Join(lines, ""))})
	for _, r := range n.rows[e.name] {
		b.record(path, r.record.Position, County, e.name, r.record.Key, r.record.Reason)
	}
}

func (b *badMaker) documents() {
	good := encode(labMessage{MsgID: "RLM-BAD", MsgType: "REPORT", SendTime: "2025-09-20T08:00:00+08:00"})
	for i, x := range []struct {
		reason string
		bytes  []byte
	}{
		{Syntax, good[:len(good)/2]},
		{Identity, []byte(`{"msgId":"RLM-BAD-2","msgType":"REPORT","sendTime":"2025-09-20T08:00:00+08:00","report":{"reportNo":"QYBAD2"}}` + "\n")},
		{Limit, []byte(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n")},
		{Charset, []byte("{\"msgId\":\"RLM-BAD-4\",\"patient\":{\"姓名\":\"\xc0\xaf\xff\"}}\n")},
		{Syntax, []byte("\"not a document\"\n")},
	} {
		path := fmt.Sprintf("bad/03-regional-lab-results/%04d.json", i+1)
		b.files = append(b.files, File{path, x.bytes})
		b.record(path, 1, Lab, "REPORT", fmt.Sprintf("document %d", i+1), x.reason)
	}
}

// stranger is a well-formed message of a hospital that is no member.
func (b *badMaker) stranger() {
	s := b.s
	path := "bad/04-" + NobodyHospital + "-adt/001.hl7"
	p := b.aside(City)
	m := s.city.adt(&cityDelivery{}, "A28", s.at(28, 10, 0), p, nil)
	s.records = s.records[:len(s.records)-1]
	m.redeclare("GB 18030-2000")
	m.utf8 = false
	raw := bytes.ReplaceAll(m.bytes(), []byte("HYSYY"), []byte("WMYY9"))
	b.files = append(b.files, File{path, raw})
	b.record(path, 1, NobodyHospital, "ADT^A28", m.record.Key, Unknown)
}
