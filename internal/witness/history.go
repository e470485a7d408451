package witness

import (
	"slices"
	"sync"
	"time"
)

// Verb is what a client asks for.
type Verb int

// The interactions that are recorded.
const (
	Create  Verb = iota // a resource with an id that nobody had before
	Read                // the current version
	ReadOld             // version Number
	Past                // all versions
	Update              // only of version If, when that is not 0
	Delete
	CreateIf // a resource of an identity, unless there is one
	UpdateIf // the resource of an identity, made when there is none
	Find     // the resource of an identity
)

var verbs = [...]string{"create", "read", "read old", "past", "update", "delete", "create if", "update if", "find"}

func (v Verb) String() string { return verbs[v] }

// writes tells whether an interaction may change something.
func (v Verb) writes() bool {
	return v == Create || v == Update || v == Delete || v == CreateIf || v == UpdateIf
}

// Question is what one client asked.
type Question struct {
	Part string // the resource or the identity that it is about
	Verb
	Content string // what is written; a word of its own for every write
	If      int    // the version that must be current; 0: any
	Number  int    // the version that ReadOld asks for
}

// Status is how a question was answered.
type Status int

// The answers. An answer that says nothing of the server's state, such as a refusal for its load, is Open.
const (
	Open    Status = iota // nobody knows whether it happened
	Done                  // found, or written
	Made                  // written, and there was none before
	Absent                // there is and was none
	Gone                  // it is deleted
	Refused               // another version is current than If
	Many                  // an identity means more than one resource
	Unsent                // it never reached a server
)

var statuses = [...]string{"open", "done", "made", "absent", "gone", "refused", "many", "unsent"}

func (s Status) String() string { return statuses[s] }

// Answer is what the client was told.
type Answer struct {
	Status
	ID      string   // the resource's; needed where a Part is an identity
	Number  int      // of the version that was found or written; 0: not told
	Content string   // of the version that was found; "": not told
	All     []string // for Past: the contents from the first version on, "" for a deletion
}

// Operation is one question with its answer. Times are of one clock, in nanoseconds since the History began.
type Operation struct {
	Client   int
	Question Question
	Answer   Answer
	Began    int64
	Ended    int64 // of no meaning when the answer is Open
}

// History records operations of clients that run at the same time.
type History struct {
	began time.Time

	mu   sync.Mutex
	list []Operation
}

// NewHistory returns an empty History, which begins now.
func NewHistory() *History { return &History{began: time.Now()} }

// Ask notes the beginning of a question before it is sent. The function that it returns notes the answer when that was
// received, and is called once; a question without an answer is open.
func (h *History) Ask(client int, q Question) (answered func(Answer)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.list)
	h.list = append(h.list, Operation{Client: client, Question: q, Began: int64(time.Since(h.began))})
	return func(a Answer) {
		ended := int64(time.Since(h.began))
		h.mu.Lock()
		defer h.mu.Unlock()
		h.list[n].Answer, h.list[n].Ended = a, ended
	}
}

// Operations returns what was recorded, in the order in which it was asked.
func (h *History) Operations() []Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}
