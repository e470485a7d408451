package alliancegen

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// Format is the form in which an institution sends.
type Format string

// Formats of Bulk.
const (
	ER7  Format = "er7"  // city hospital: messages one after another
	CSV  Format = "csv"  // county hospital: one HIS_HZXX extract
	JSON Format = "json" // regional laboratory: one document a line
)

// BulkCounts is what a bulk stream contains, and what must be there after it has been
// taken in.
type BulkCounts struct {
	Records  int // messages, rows, documents
	Patients int
	Visits   int
	Reports  int
	Results  int
	Bytes    int64
}

// bulkVisitsPerPatient is how many records of a stream concern the same patient.
const bulkVisitsPerPatient = 10

// Bulk writes n records for load tests and counts what is in them. Memory does not
// grow with n: everything about record i follows from the seed and i. In ER7 every
// second message is an ADT^A04 and the other its ORU^R01 with seven results; rows and
// documents concern a new patient each, respectively every tenth. The patients are
// the same people in all three formats, by resident number.
func Bulk(seed uint64, n int, format Format, w io.Writer) (BulkCounts, error) {
	out := &countingWriter{w: bufio.NewWriterSize(w, 1<<16)}
	var c BulkCounts
	switch format {
	case ER7:
		c = bulkER7(seed, n, out)
	case CSV:
		c = bulkCSV(seed, n, out)
	case JSON:
		c = bulkJSON(seed, n, out)
	default:
		return c, fmt.Errorf("bulk: no format %q", format)
	}
	if out.err == nil {
		out.err = out.w.Flush()
	}
	c.Bytes = out.n
	if out.err != nil {
		return c, fmt.Errorf("bulk: %w", out.err)
	}
	return c, nil
}

// countingWriter keeps the first error, so that a stream reads without checks.
type countingWriter struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (c *countingWriter) write(b []byte) {
	if c.err != nil {
		return
	}
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.err = err
}

// The resident numbers of a stream: division, year, month, day, sequence. Walking the
// space by a step that is prime to its size reaches each once, so that no two people
// of a stream share a number.
const (
	bulkYears, bulkMonths, bulkDays, bulkSequences = 71, 12, 28, 499
	bulkNumbers                                    = 5 * bulkYears * bulkMonths * bulkDays * bulkSequences
	bulkStep                                       = 15_485_863
)

// bulkPerson is person k of a stream, whatever the format.
func bulkPerson(seed uint64, k int) *Patient {
	r := newRNG(seed ^ uint64(k)*0x2545f4914f6cdd1d)
	sex := pick(r, []string{"male", "female"})
	n := int((seed%bulkNumbers + uint64(k)%bulkNumbers*bulkStep) % bulkNumbers)
	next := func(of int) int { v := n % of; n /= of; return v }
	birth := time.Date(1935+next(bulkYears), time.Month(1+next(bulkMonths)), 1+next(bulkDays), 0, 0, 0, 0, zone)
	seq := 2 * next(bulkSequences)
	if sex == "male" {
		seq++
	}
	body := divisions[next(len(divisions))] + birth.Format("20060102") + fmt.Sprintf("%03d", seq)
	id := body + string(checkCharacter(body))
	name := pick(r, surnames).han + pick(r, givenSigns(sex)).han
	if r.intn(20) == 0 {
		name = pick(r, surnames).han + pick(r, caretSigns).han
	}
	return &Patient{
		Institution: City, ID: fmt.Sprintf("%010d", k+1), Name: name, Sex: sex, Birth: date(birth), Phone: phone(r),
		Address: "衡远市" + pick(r, streets) + fmt.Sprint(r.between(1, 300)) + "号", Marital: "20", Ethnicity: "01",
		Identifiers: []Identifier{resident(id)}, person: &Person{}, style: patientStyle{birth: "2006-01-02"},
	}
}

// bulkStory is a story nobody's truth is kept in; the writers need its wheels.
func bulkStory(seed uint64) *story {
	s := newStory(seed)
	s.habits = map[string]*habits{City: newHabits(s.r, City), Lab: newHabits(s.r, Lab)}
	return s
}

// forget drops what the writers note for a ledger.
func (s *story) forget() {
	s.records, s.traps = nil, nil
	clear(s.used)
}

func bulkER7(seed uint64, n int, out *countingWriter) BulkCounts {
	s := bulkStory(seed)
	var c BulkCounts
	for i := 0; i < n; i++ {
		k := i / bulkVisitsPerPatient
		p := bulkPerson(seed, k)
		p.style.sex = "letter"
		if i%bulkVisitsPerPatient == 0 {
			c.Patients++
		}
		visit := i / 2
		at := s.at(0, 8, 0).Add(time.Duration(visit) * time.Minute)
		v := &Visit{
			Institution: City, Number: fmt.Sprintf("MZ%010d", visit+1), Patient: p.ID, Class: "AMB", LocalClass: "O", Status: "in-progress",
			Start: instant(at), Department: departmentAt(City, "general"), Doctor: s.doctors[City][visit%8], Diagnoses: ranked("hypertension"),
		}
		d := &cityDelivery{}
		var m *message
		if i%2 == 0 {
			m = s.city.adt(d, "A04", at, p, v)
			c.Visits++
		} else {
			rep := s.bulkReport(City, panelByKey("cbc"), visit, at)
			s.fill(rep, p.Sex)
			m = s.city.result(d, at.Add(30*time.Second), p, v, false, rep)
			c.Reports++
			c.Results += len(rep.Results)
		}
		m.redeclare("GB 18030-2000")
		m.utf8 = false
		out.write(m.bytes())
		c.Records++
		s.forget()
	}
	return c
}

func (s *story) bulkReport(institution string, pan panel, number int, at time.Time) *Report {
	rep := &Report{
		Institution: institution, Number: fmt.Sprintf("BK%010d", number+1), Kind: "laboratory", Item: panelAt(institution, pan),
		Section: pan.section, Specimen: specimenAt(institution, pan.specimen), Status: "final", States: []string{"final"},
		Collected: instant(at), Issued: instant(at.Add(time.Hour)), Author: s.doctors[institution][number%8], panel: pan,
	}
	if institution == Lab {
		rep.Section = pan.labSection
	}
	return rep
}

func bulkCSV(seed uint64, n int, out *countingWriter) BulkCounts {
	s := bulkStory(seed)
	var c BulkCounts
	var names []string
	for _, col := range extracts[0].columns {
		names = append(names, col.name)
	}
	var b strings.Builder
	writeRow(&b, names, false)
	out.write(gb18030(b.String()))
	for i := range n {
		p := bulkPerson(seed, i)
		p.Institution = County
		scrap := &night{rows: map[string][]*row{}}
		s.county.patient(scrap, p, s.at(0, 8, 0).Add(time.Duration(i)*time.Second))
		cells := scrap.rows["HIS_HZXX"][0].cells
		b.Reset()
		line := make([]string, len(names))
		for j, name := range names {
			line[j] = cells[name]
		}
		writeRow(&b, line, false)
		out.write(gb18030(b.String()))
		s.forget()
		c.Records++
		c.Patients++
	}
	return c
}

func bulkJSON(seed uint64, n int, out *countingWriter) BulkCounts {
	s := bulkStory(seed)
	var c BulkCounts
	for i := range n {
		k := i / bulkVisitsPerPatient
		if i%bulkVisitsPerPatient == 0 {
			c.Patients++
		}
		p := bulkPerson(seed, k)
		p.Institution, p.ID = Lab, fmt.Sprintf("SJ%010d", k+1)
		rep := s.bulkReport(Lab, panelByKey("renal"), i, s.at(0, 8, 0).Add(time.Duration(i)*time.Minute))
		s.fill(rep, p.Sex)
		doc := s.lab.send(&labDelivery{}, rep.Issued.t, rep, p, request{sender: County})
		out.write(compact(doc.bytes))
		s.forget()
		c.Records++
		c.Reports++
		c.Results += len(rep.Results)
	}
	return c
}

// compact puts a document on one line.
func compact(doc []byte) []byte {
	lines := strings.Split(strings.TrimSpace(string(doc)), "\n")
	for i := range lines {
		lines[i] = strings.TrimLeft(lines[i], " ")
	}
	return []byte(strings.Join(lines, "") + "\n")
}
