package draft

import "slices"

// kind is what a table, or an array of a document, tells about.
type kind string

// The kinds. A table of no kind is asked about.
const (
	noKind         kind = ""
	patients       kind = "patient"
	visits         kind = "visit"
	diagnoses      kind = "diagnosis"
	orders         kind = "order"
	labReports     kind = "labreport"
	labItems       kind = "labitem"
	exams          kind = "exam"
	prescriptions  kind = "rx"
	referrals      kind = "referral"
	allergies      kind = "allergy"
	cultures       kind = "culture"
	susceptibility kind = "susceptibility"
	staffList      kind = "staff"
	departments    kind = "department"
)

var kinds = []kind{patients, visits, diagnoses, orders, labReports, labItems, exams, prescriptions, referrals, allergies, cultures, susceptibility,
	staffList, departments}

func knownKind(k kind) bool { return slices.Contains(kinds, k) }

// marks are the concepts that tell a kind, and how clearly.
var marks = map[kind]map[string]float64{
	patients: {"name": 1.5, "sex": 1.5, "birth": 1.5, "idno": 1.5, "phone": 1, "address": 1.5, "marital": 1.5, "ethnicity": 1.5, "contact": 1, "contact.phone": 1,
		"contact.rel": 1, "pid": 0.5, "healthcard": 0.7, "registered": 1, "occupation": 1, "death": 1, "idtype": 0.5, "ehr": 0.7, "card": 0.5},
	visits: {"visit": 1.5, "class": 2.5, "visit.start": 2.5, "visit.end": 2.5, "admit.source": 2, "discharge": 2, "dept": 0.7, "dept.name": 0.7, "outno": 1, "inno": 1,
		"complaint": 2, "history": 1.5, "past.history": 1, "ward": 1, "bed": 1, "doctor": 0.5, "doctor.name": 0.7, "dx": 0.3, "dx.name": 0.5},
	diagnoses: {"dx": 2, "dx.name": 2, "dx.rank": 3, "dx.type": 2, "dx.time": 1.5, "dx.main": 2, "syndrome": 1, "tcm": 1},
	orders: {"order": 1.5, "order.time": 3, "order.category": 2.5, "priority": 0.7, "requester": 0.7, "requester.name": 0.7, "performer": 2, "item": 0.7, "item.name": 0.7,
		"reason": 1, "order.dept": 0.5, "order.dept.name": 0.5},
	labReports: {"report": 1.5, "report.code": 1, "report.name": 1, "section": 0.5, "collected": 2, "received": 2, "specimen": 1, "specimen.name": 1, "barcode": 1.5,
		"issued": 1, "test.time": 1, "auditor.name": 0.7, "auditor": 0.5, "audit.time": 0.7, "reporter.name": 0.7, "growth": 1, "recognition": 0.5},
	labItems: {"result": 3.5, "range": 3, "range.low": 2, "range.high": 2, "unit": 1.5, "flag": 2, "item": 1.5, "item.name": 1.5, "result.num": 1.5, "seq": 0.3, "method": 0.5,
		"critical": 1},
	exams: {"findings": 4, "conclusion": 3, "bodysite": 2.5, "exam.time": 1.5, "report": 1, "image.url": 2, "studyuid": 2, "section": 0.5, "report.name": 0.5, "issued": 0.7,
		"reporter.name": 0.5, "auditor.name": 0.5},
	prescriptions: {"rx": 2, "drug": 2.5, "drug.name": 2.5, "route": 1.5, "route.name": 1, "freq": 2, "freq.name": 1, "dose": 1.5, "dose.unit": 1, "days": 1.5, "quantity": 1,
		"spec": 1.5, "form": 1, "prescriber": 0.7, "prescriber.name": 0.7, "rx.time": 1.5, "rx.type": 1, "price": 0.5, "quantity.unit": 0.5},
	referrals: {"referral": 3, "direction": 2, "org.from": 2, "org.to": 2.5, "dept.to": 1.5, "ref.reason": 2, "ref.text": 1.5, "summary": 1.5, "ref.time": 2, "ref.doctor": 1,
		"ref.doctor.name": 1},
	allergies:      {"allergen": 4, "allergen.name": 4, "reaction": 2.5, "severity": 1.5, "allergen.type": 2, "allergy.time": 0.7},
	cultures:       {"organism": 4, "organism.name": 4, "amount": 2},
	staffList:      {"staff": 3, "staff.title": 2.5, "staff.class": 1.5, "dept": 0.5, "dept.name": 0.3, "name": 0.5},
	departments:    {"dept": 1.5, "dept.name": 1.5, "dept.parent": 2},
	susceptibility: {"antibiotic": 5, "antibiotic.name": 5, "result": 0.5, "flag": 0.5, "method": 0.5},
}

const (
	topicWeight = 2.0 // what a table's name says counts as much as a telling column
	leastKind   = 3.0 // evidence below which a table is of no kind
)
