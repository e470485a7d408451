package alliancegen

import (
	"encoding/json"
	"fmt"
	"time"
)

// Ledger is what is true about the alliance after all deliveries have arrived, in
// the words of the domain. It is written by the story, not read from the records.
//
// Totals count facts by institution and by the resource type they become: a local
// patient is a Patient (retired ones too), a visit an Encounter, an order number or
// referral number a ServiceRequest, a report number a DiagnosticReport, a result
// (isolates, susceptibilities and the vital signs of a visit too) an Observation, a
// diagnosis of a visit a Condition, a prescription row a MedicationRequest, a study an
// ImagingStudy, a document that was sent whole a DocumentReference, a staff number a
// Practitioner. Findings and conclusions are no results; Narrative counts the reports
// that have them, Referral the referrals alone, Department the departments and wards,
// alliance/Person the persons. Specimen counts the specimen numbers of the institutions
// that number the specimen of every report; others have no such total.
//
// A fact is stated as the institution recorded it: with that institution's numbers,
// local codes and the precision its records can carry. Codes come with the standard
// code where the interface documents give one.
type Ledger struct {
	Seed         uint64                    `json:"seed"`
	Institutions []Institution             `json:"institutions"`
	Persons      []Person                  `json:"persons"`
	Strangers    []Pair                    `json:"strangers"`
	Reviews      []Review                  `json:"reviews"`
	Departments  []Department              `json:"departments,omitempty"`
	Staff        []Member                  `json:"staff,omitempty"`
	Traps        []Trap                    `json:"traps"`
	Totals       map[string]map[string]int `json:"totals"`
	Records      []Record                  `json:"records"`
	Bad          Bad                       `json:"bad"`
}

// Bad is the fate of the records under bad/, which are no part of the totals: the
// broken ones are quarantined, the good ones around them go on and make Patients.
type Bad struct {
	Records  []Record   `json:"records"`
	Patients []*Patient `json:"patients"`
}

// Institution is a member. Aliases are the codes by which other members' records
// call it, by sender.
type Institution struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Level   string            `json:"level"`
	Zone    string            `json:"zone"`
	Aliases map[string]string `json:"aliases"`
}

// Person is one human being as far as the alliance's index can and must know: all
// Patients end up with one alliance person, and with nobody else's. The first
// person of the ledger is the showcase.
type Person struct {
	Key           string         `json:"key"`
	Note          string         `json:"note,omitempty"`
	Patients      []*Patient     `json:"patients"`
	Visits        []*Visit       `json:"visits,omitempty"`
	Orders        []*Order       `json:"orders,omitempty"`
	Reports       []*Report      `json:"reports,omitempty"`
	Prescriptions []*Rx          `json:"prescriptions,omitempty"`
	Referrals     []*Referral    `json:"referrals,omitempty"`
	Allergies     []*Allergy     `json:"allergies,omitempty"`
	Appointments  []*Appointment `json:"appointments,omitempty"`
	Documents     []*Document    `json:"documents,omitempty"`
}

// Department is a department or ward of an institution, as its records or lists name it. It is one thing however often it
// is mentioned.
type Department struct {
	Institution string `json:"institution"`
	Code        string `json:"code"`
	Name        string `json:"name"`
	Kind        string `json:"kind"`             // department (an Organization) or ward (a Location)
	PartOf      string `json:"partOf,omitempty"` // code of the department that a ward belongs to
}

// Member is somebody who works at an institution and is known there by a number: one Practitioner however often mentioned.
// Department and Title are empty where no record and no list says them.
type Member struct {
	Institution string `json:"institution"`
	Number      string `json:"number"`
	Name        string `json:"name"`
	Department  string `json:"department,omitempty"` // code of the Department
	Title       Coded  `json:"title,omitzero"`       // 专业技术职务
}

// Document is a paper that an institution sent whole, which is kept and served byte by byte. SHA256 and Size are of
// the document itself, without an envelope around it.
type Document struct {
	Institution string    `json:"institution"`
	Number      string    `json:"number"` // 文档流水号
	Patient     string    `json:"patient"`
	Visit       string    `json:"visit,omitempty"`
	Kind        string    `json:"kind"` // outpatient-record exam-report lab-report discharge-summary
	Code        Coded     `json:"code"` // of WS/T 500, such as C0007, where it has one
	Title       string    `json:"title"`
	Date        Time      `json:"date"`
	Author      Staff     `json:"author"`
	Report      string    `json:"report,omitempty"`   // number of the report whose paper it is
	Replaces    string    `json:"replaces,omitempty"` // number of the document that this one corrects
	ContentType string    `json:"contentType"`
	SHA256      string    `json:"sha256"`
	Size        int       `json:"size"`
	Sections    []Section `json:"sections,omitempty"`
}

// Section is a coded section of a document.
type Section struct {
	Code  Coded  `json:"code"`
	Title string `json:"title,omitempty"`
	Text  string `json:"text"`
}

// Attachment is a paper or picture that came with a report. SHA256 and Size are of its decoded bytes.
type Attachment struct {
	Title       string `json:"title,omitempty"`
	ContentType string `json:"contentType"`
	SHA256      string `json:"sha256"`
	Size        int    `json:"size"`
}

// Study is an imaging study in the archive of the institution that made it. Viewer is the address of the sender's
// viewer for this study.
type Study struct {
	UID       string `json:"uid"` // DICOM Study Instance UID
	Accession string `json:"accession"`
	Modality  string `json:"modality"` // DICOM: US CT DX MR ECG
	Series    int    `json:"series,omitempty"`
	Instances int    `json:"instances,omitempty"`
	Started   Time   `json:"started"`
	Viewer    string `json:"viewer,omitempty"`
}

// Ref names a patient, order or visit by institution and local number.
type Ref struct {
	Institution string `json:"institution"`
	Number      string `json:"number"`
}

// Coded is a local code, its text and the standard code the documents give it.
type Coded struct {
	Code     string `json:"code"`
	Text     string `json:"text"`
	System   string `json:"system,omitempty"`
	Standard string `json:"standard,omitempty"`
}

// Identifier kinds.
const (
	ResidentID   = "resident-id"
	HealthCard   = "health-card"
	Passport     = "passport"
	HealthRecord = "health-record" // 居民健康档案编号
	SenderNumber = "sender-number" // a sender's local patient number, given to the laboratory
	Placeholder  = "placeholder"   // stands in an id field and identifies nobody
)

// Identifier is an identifier of a patient besides the local number. Value is the
// normalised form (18 digits, half width, capital X), Sent what the records carry.
// Usable says that it may link Patients; a placeholder, a mother's number at her
// newborn or a number with a wrong check character may not.
type Identifier struct {
	Kind        string `json:"kind"`
	Value       string `json:"value"`
	Sent        string `json:"sent"`
	Institution string `json:"institution,omitempty"` // of a sender number
	Usable      bool   `json:"usable"`
}

// Patient is a person at one institution, as finally recorded there.
type Patient struct {
	Institution string       `json:"institution"`
	ID          string       `json:"id"`
	Identifiers []Identifier `json:"identifiers"`
	Name        string       `json:"name"`
	Pinyin      string       `json:"pinyin,omitempty"`
	Sex         string       `json:"sex"` // male, female, unknown
	Birth       Time         `json:"birth,omitzero"`
	Phone       string       `json:"phone,omitempty"`
	Address     string       `json:"address,omitempty"`
	Marital     string       `json:"marital,omitempty"` // local code, old one-digit codes included
	Ethnicity   string       `json:"ethnicity,omitempty"`
	Contact     *Contact     `json:"contact,omitempty"`
	Deceased    *Time        `json:"deceased,omitempty"`
	MergedInto  string       `json:"mergedInto,omitempty"` // the surviving local number
	Mother      string       `json:"mother,omitempty"`     // local number of a newborn's mother

	person *Person
	style  patientStyle
}

// Contact is a patient's relative. Relation is the local code.
type Contact struct {
	Name     string `json:"name"`
	Relation string `json:"relation"`
	Phone    string `json:"phone,omitempty"`
}

// Visit statuses and classes are written as FHIR writes them.
type Visit struct {
	Institution string      `json:"institution"`
	Number      string      `json:"number"`
	DailyNumber string      `json:"dailyNumber,omitempty"` // repeats: no identity
	Patient     string      `json:"patient"`
	Class       string      `json:"class"`      // AMB EMER IMP PRENC
	LocalClass  string      `json:"localClass"` // as sent
	Status      string      `json:"status"`     // planned in-progress finished cancelled
	Start       Time        `json:"start"`
	End         *Time       `json:"end,omitempty"`
	Department  Coded       `json:"department"` // the last one
	Bed         string      `json:"bed,omitempty"`
	Doctor      Staff       `json:"doctor"`
	AdmitSource string      `json:"admitSource,omitempty"` // local code
	Disposition string      `json:"disposition,omitempty"` // local code
	Diagnoses   []Diagnosis `json:"diagnoses,omitempty"`
	Vitals      []Result    `json:"vitals,omitempty"` // measured in the visit, in no report
}

// Staff is somebody who works at an institution.
type Staff struct {
	Number string `json:"number,omitempty"`
	Name   string `json:"name"`
}

// Diagnosis is one diagnosis of a visit; the main one has rank 1.
type Diagnosis struct {
	Coded
	Rank int `json:"rank"`
}

// Order is one order number. Group is the number of the form it stood on.
type Order struct {
	Institution string `json:"institution"`
	Number      string `json:"number"`
	Group       string `json:"group,omitempty"`
	Patient     string `json:"patient"`
	Visit       string `json:"visit,omitempty"`
	Item        Coded  `json:"item"`
	Status      string `json:"status"` // active completed revoked
	Priority    string `json:"priority"`
	Ordered     Time   `json:"ordered"`
	Requester   Staff  `json:"requester"`
	Performer   string `json:"performer"` // institution
	Reason      string `json:"reason,omitempty"`
	panel       panel
}

// Report is a laboratory, imaging, ECG, pathology or microbiology report. States are the
// statuses in which it was sent, in order; the last is the final one, and there are
// as many versions as states. Order says which order it answers; OrderKnown is false
// where that order never arrives, so that the reference stays a logical one.
type Report struct {
	Institution string   `json:"institution"`
	Number      string   `json:"number"`
	Patient     string   `json:"patient"`
	Visit       string   `json:"visit,omitempty"`
	Kind        string   `json:"kind"` // laboratory imaging ecg pathology microbiology
	Item        Coded    `json:"item"`
	Section     string   `json:"section,omitempty"` // local code
	Specimen    Coded    `json:"specimen,omitzero"`
	Status      string   `json:"status"`
	States      []string `json:"states"`
	Order       *Ref     `json:"order,omitempty"`
	OrderKnown  bool     `json:"orderKnown,omitempty"`
	OrderLate   bool     `json:"orderLate,omitempty"` // the report arrives before its order
	Collected   Time     `json:"collected"`
	Issued      Time     `json:"issued"`
	Author      Staff    `json:"author"` // who approved it; the number where the records give it
	Findings    string   `json:"findings,omitempty"`
	Conclusion  string   `json:"conclusion,omitempty"`
	Remark      string   `json:"remark,omitempty"`
	Culture     string   `json:"culture,omitempty"` // microbiology: negative or positive
	// SpecimenNumber identifies the specimen at the institution: its barcode, or the number of the pathology.
	SpecimenNumber string       `json:"specimenNumber,omitempty"`
	Study          *Study       `json:"study,omitempty"`
	Attachments    []Attachment `json:"attachments,omitempty"`
	Results        []Result     `json:"results,omitempty"`
	panel          panel
	recorder       Staff // who made what the author approved
	papers         []paper
}

// Result is one item of a report. Occurrence counts from 1 among equal items of the
// report (and, for susceptibilities, of the same organism: Isolate is its number).
type Result struct {
	Item       Coded  `json:"item"`
	Occurrence int    `json:"occurrence"`
	SubID      string `json:"subId,omitempty"`   // HL7 OBX-4
	Isolate    int    `json:"isolate,omitempty"` // organism or susceptibility of that isolate
	Value      Value  `json:"value"`
	Range      Range  `json:"range,omitzero"`
	Flag       string `json:"flag,omitempty"` // as sent
	Interpret  string `json:"interpretation,omitempty"`
	Status     string `json:"status"` // final corrected preliminary entered-in-error
	Marked     bool   `json:"marked,omitempty"`
	Was        string `json:"was,omitempty"` // the text before a correction
	Note       string `json:"note,omitempty"`
}

// Value kinds.
const (
	Quantity = "quantity"
	Ordinal  = "ordinal"
	Ratio    = "ratio"
	Text     = "text"
	Absent   = "absent"
)

// Value is a result value. Sent is the text as printed, from which nothing here was
// derived; an HL7 SN value spreads it over components.
type Value struct {
	Kind        string `json:"kind"`
	Number      string `json:"number,omitempty"` // decimal text; its digits count
	Comparator  string `json:"comparator,omitempty"`
	Unit        string `json:"unit,omitempty"` // as sent
	UCUM        string `json:"ucum,omitempty"` // empty: no code may be claimed
	Ordinal     string `json:"ordinal,omitempty"`
	Numerator   string `json:"numerator,omitempty"`
	Denominator string `json:"denominator,omitempty"`
	Text        string `json:"text,omitempty"`
	Code        string `json:"code,omitempty"`   // local code of a coded text: organism; blood group, where the city alone sends it
	Reason      string `json:"reason,omitempty"` // why absent: specimen, see-report, unknown
	Sent        string `json:"sent"`
}

// Ordinals: negative, weakly-positive, positive, and 1+ to 4+.

// Range is a reference range. BySex marks a text with one line per sex: Low and High
// are then those that apply to the patient, and a map may leave them out.
type Range struct {
	Text  string `json:"text,omitempty"`
	Low   string `json:"low,omitempty"`
	High  string `json:"high,omitempty"`
	BySex bool   `json:"bySex,omitempty"`
}

// Rx is one prescription row.
type Rx struct {
	Institution string `json:"institution"`
	Number      string `json:"number"`
	Row         int    `json:"row"`
	Patient     string `json:"patient"`
	Visit       string `json:"visit"`
	Drug        Coded  `json:"drug"`
	Strength    string `json:"strength"`
	Dose        string `json:"dose"`
	DoseUnit    string `json:"doseUnit"`
	Route       string `json:"route"`
	Frequency   string `json:"frequency"`
	Days        int    `json:"days"`
	Quantity    string `json:"quantity"`
	Pack        string `json:"pack"`
	Status      string `json:"status"` // active completed cancelled
	Written     Time   `json:"written"`
	Requester   Staff  `json:"requester"`
}

// Referral is one referral number.
type Referral struct {
	Institution string  `json:"institution"` // who sent the record
	Number      string  `json:"number"`
	Patient     string  `json:"patient"`
	Visit       string  `json:"visit,omitempty"`
	Direction   string  `json:"direction"` // up down
	From        string  `json:"from"`
	To          string  `json:"to"`
	Department  string  `json:"department,omitempty"`
	Status      string  `json:"status"`      // active completed revoked
	LocalStatus string  `json:"localStatus"` // as finally sent
	Priority    string  `json:"priority"`
	Reason      string  `json:"reason"` // text
	ReasonCode  string  `json:"reasonCode,omitempty"`
	Diagnoses   []Coded `json:"diagnoses"`
	Summary     string  `json:"summary,omitempty"`
	Date        Time    `json:"date"`
	Requester   Staff   `json:"requester"`
	Answers     *Ref    `json:"answers,omitempty"` // the referral that this one answers
}

// Allergy is one allergy.
type Allergy struct {
	Institution string `json:"institution"`
	Patient     string `json:"patient"`
	Allergen    Coded  `json:"allergen"`
	Category    string `json:"category"`
	Reaction    string `json:"reaction,omitempty"`
	Recorded    *Time  `json:"recorded,omitempty"`
}

// Appointment is one booked appointment.
type Appointment struct {
	Institution string `json:"institution"`
	Number      string `json:"number"`
	Patient     string `json:"patient"`
	Status      string `json:"status"`
	Start       Time   `json:"start"`
	End         Time   `json:"end"`
	Department  Coded  `json:"department"`
	Doctor      Staff  `json:"doctor"`
	Reason      string `json:"reason"`
}

// Pair are two patients who are not the same person though something about them
// looks so. Their persons must never be joined.
type Pair struct {
	A   Ref    `json:"a"`
	B   Ref    `json:"b"`
	Why string `json:"why"`
}

// Review are two patients that must not be linked by rule; Required says that the
// index must offer the pair for a human to decide.
type Review struct {
	A        Ref    `json:"a"`
	B        Ref    `json:"b"`
	Why      string `json:"why"`
	Required bool   `json:"required"`
}

// Trap names a difficulty of the field and where it is: records by file and
// position, or a person, patient, report of the ledger.
type Trap struct {
	Name  string   `json:"name"`
	Where []string `json:"where"`
}

// Fates of a record.
const (
	Committed   = "committed"
	Duplicate   = "duplicate"
	Superseded  = "superseded" // older than what its resources already carry
	Quarantined = "quarantined"
)

// Record is one message, row or document. Position is the message's place in its
// batch (1…), the line a row begins at (the header is line 1), 1 for a document. A
// workbook's row is in the sheet that begins as Kind, at the row that the sheet counts;
// a row of an HTML table is counted from 1, titles and heading too.
type Record struct {
	File        string `json:"file"`
	Position    int    `json:"position"`
	Institution string `json:"institution"`
	Kind        string `json:"kind"` // ADT^A01, HIS_HZXX, REPORT …
	Key         string `json:"key"`  // control id, row key, message id
	Patient     string `json:"patient,omitempty"`
	Fate        string `json:"fate"`
	Reason      string `json:"reason,omitempty"`

	sheet int // place of the sheet in its workbook
}

// Precisions of a Time.
const (
	Day    = "day"
	Second = "second"
)

// Time is a date, or an instant with its zone. Clinical instants lie on whole
// minutes, so that a record without seconds tells the same instant.
type Time struct {
	t         time.Time
	precision string
}

func instant(t time.Time) Time { return Time{t: t, precision: Second} }
func date(t time.Time) Time    { return Time{t: t, precision: Day} }

// Instant returns the moment (midnight, for a date) in the institution's zone.
func (t Time) Instant() time.Time { return t.t }

// Precision is Day or Second; empty for the zero Time.
func (t Time) Precision() string { return t.precision }

// String returns a FHIR date or dateTime.
func (t Time) String() string {
	switch t.precision {
	case Day:
		return t.t.Format(time.DateOnly)
	case Second:
		return t.t.Format(time.RFC3339)
	}
	return ""
}

// MarshalJSON writes a FHIR date or dateTime; its length tells the precision.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	switch len(s) {
	case 0:
		*t = Time{}
		return nil
	case len(time.DateOnly):
		p, err := time.ParseInLocation(time.DateOnly, s, zone)
		*t = date(p)
		return err
	}
	p, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("ledger time: %w", err)
	}
	*t = instant(p.In(zone))
	return nil
}

// zone is China's: fixed, so that no time zone database is needed.
var zone = time.FixedZone("CST", 8*60*60)

// ReadLedger decodes ledger.json.
func ReadLedger(b []byte) (*Ledger, error) {
	var l Ledger
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	return &l, nil
}

// Patient finds a patient by institution and local number, and its person.
func (l *Ledger) Patient(institution, id string) (*Patient, *Person) {
	for i := range l.Persons {
		for _, p := range l.Persons[i].Patients {
			if p.Institution == institution && p.ID == id {
				return p, &l.Persons[i]
			}
		}
	}
	return nil, nil
}

// Trap returns where a trap lies; nil if the set has none of that name.
func (l *Ledger) Trap(name string) []string {
	for _, t := range l.Traps {
		if t.Name == name {
			return t.Where
		}
	}
	return nil
}
