package store

import "time"

// RecordState says how far a record has come.
type RecordState string

// The states of a record in the inbox.
const (
	Received    RecordState = "received"    // durable, waits for its turn
	Committed   RecordState = "committed"   // its resources are stored
	Unchanged   RecordState = "unchanged"   // equal to the last applied state, or nothing new in it
	Superseded  RecordState = "superseded"  // older than what is stored
	Quarantined RecordState = "quarantined" // could not become FHIR; bytes and reason kept
	Split       RecordState = "split"       // a delivery whose records stand on their own
	Erased      RecordState = "erased"      // its bytes went with what it became; nothing else tells of whom it was
)

// Delivery is the Format of a file set that is still to be split into records.
const Delivery = "delivery"

// Record is an entry of the inbox: a hospital's own message, row or document, or
// a delivery (file set) that is still to be split into them.
type Record struct {
	ID          string // random, sorts by time of arrival
	Sequence    int64  // order of entry in this store
	Institution string
	Source      string // name of the source in institution.yaml, e.g. "upload"
	Format      string // record.HL7v2, record.Table, …; Delivery for a file set
	Name        string // file name; "" when it came alone
	Control     string // the sender's own id, "" when it has none
	Type        string // message type or main table
	Digest      string // hex SHA-256 of the archived bytes that hold it; Accept takes it from Bytes
	Offset      int64  // where in them it stands
	Length      int64
	Place       string   // of a workbook's row, which has no bytes of its own: "sheet!row", while Offset and Length are the workbook's
	Key         string   // business key of a table row, for skipping unchanged ones; "" for none
	Hash        string   // hash of the row's values, with Key
	Parent      string   // the delivery it was split from
	Lanes       []string // what it keeps its place in line for, within its institution
	Received    time.Time
	State       RecordState
	Answer      string // acknowledgement code given, e.g. "AA"
	Reason      string // JSON of []fhir.Issue; for quarantined records and warnings
	Map         string // map and version that handled it
	Attempts    int
	Finished    time.Time
}

// Entry is what a source hands in: institution, source, format and what else it
// knows. ID, Sequence, Received and Attempts are the store's; State is Received
// unless the source already knows that it must be Quarantined. Bytes of a whole
// delivery are given once; records cut from an archived delivery name its Digest,
// Offset and Length instead.
type Entry struct {
	Record
	Bytes []byte
}

// Receipt answers an Entry: the record as stored, or as it was stored before.
type Receipt struct {
	Record
	Duplicate   bool // same institution, source, control id and bytes as an earlier one
	ControlUsed bool // same control id with other bytes: a new record, worth a warning
}

// Outcome ends the work on a record.
type Outcome struct {
	State  RecordState
	Reason string
	Map    string
	Answer string // the acknowledgement code given, when it was not known at Accept
}

// RecordFilter selects records for listing; zero fields select all.
type RecordFilter struct {
	Institution string
	State       RecordState
	After       int64 // sequence to continue behind
	Limit       int   // 0: 100
	Parent      string
}
