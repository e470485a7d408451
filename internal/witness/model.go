package witness

import "slices"

// Model is what one server, which does one thing after another, does with the questions about one part of a history.
type Model struct {
	name  string
	knows []Verb
	start state
}

// state is what the server holds of one part. States are never changed, only replaced.
type state interface {
	// step tells whether the server may answer so, and what it holds then. An open question is answered as the state
	// demands.
	step(q Question, a Answer) (state, bool)
	equal(state) bool
}

// Register is the model of an identity: at most one resource, of which the current version counts. Its verbs are CreateIf,
// UpdateIf, Find, and Read, Past and Update of the resource. A resource made while nobody was told its id is known by the
// first answer that names it.
func Register() Model {
	return Model{name: "register", knows: []Verb{CreateIf, UpdateIf, Find, Read, Past, Update}, start: register{}}
}

// Versions is the model of a resource with all of its versions. Its verbs are Create, Read, ReadOld, Past, Update and
// Delete.
func Versions() Model {
	return Model{name: "versions", knows: []Verb{Create, Read, ReadOld, Past, Update, Delete}, start: versions(nil)}
}

type register struct {
	id      string // "": nobody was told yet
	number  int    // 0: there is none
	content string
}

func (r register) equal(o state) bool { return r == o }

func (r register) step(q Question, a Answer) (state, bool) {
	if a.Status == Many {
		return r, false
	}
	empty := r.number == 0
	if !empty && a.ID != "" {
		if r.id != "" && r.id != a.ID {
			return r, false
		}
		r.id = a.ID
	}
	found := !empty && a.Status == Done && tells(a, r.number, r.content)
	switch q.Verb {
	case Find, Read:
		return r, found || empty && a.Status == Absent
	case Past:
		ends := found && len(a.All) == r.number && a.All[r.number-1] == r.content
		return r, ends || empty && a.Status == Absent
	case CreateIf:
		if !empty {
			return r, found || a.Status == Open
		}
		made := register{id: a.ID, number: 1, content: q.Content}
		return made, a.Status == Open || a.Status == Made && tells(a, 1, q.Content)
	case UpdateIf, Update:
		switch next := (register{id: r.id, number: r.number + 1, content: q.Content}); {
		case empty && q.Verb == Update:
			return r, a.Status == Absent || a.Status == Open
		case q.If != 0 && q.If != r.number:
			return r, a.Status == Refused || a.Status == Open
		case empty:
			next.id = a.ID
			return next, a.Status == Open || a.Status == Made && tells(a, 1, q.Content)
		default:
			return next, a.Status == Open || a.Status == Done && tells(a, next.number, q.Content)
		}
	}
	return r, false
}

// versions are the contents from the first version on, "" for a deletion.
type versions []string

func (v versions) equal(o state) bool { return slices.Equal(v, o.(versions)) }

func (v versions) step(q Question, a Answer) (state, bool) {
	last := ""
	if len(v) > 0 {
		last = v[len(v)-1]
	}
	holds := Done // what the state lets a question about the current version be answered with
	switch {
	case len(v) == 0:
		holds = Absent
	case last == "":
		holds = Gone
	}
	switch q.Verb {
	case Create:
		return versions{q.Content}, len(v) == 0 && (a.Status == Open || a.Status == Made && tells(a, 1, q.Content))
	case Read:
		return v, a.Status == holds && (holds != Done || tells(a, len(v), last))
	case ReadOld:
		switch {
		case q.Number > len(v):
			return v, a.Status == Absent
		case v[q.Number-1] == "":
			return v, a.Status == Gone
		}
		return v, a.Status == Done && tells(a, q.Number, v[q.Number-1])
	case Past:
		if len(v) == 0 {
			return v, a.Status == Absent
		}
		return v, a.Status == Done && slices.Equal(a.All, v)
	case Update:
		switch {
		case len(v) == 0:
			return v, a.Status == Absent || a.Status == Open
		case q.If != 0 && q.If != len(v):
			return v, a.Status == Refused || a.Status == Open
		}
		// An update of what is deleted brings it back; whether that is told as made or as done is the server's choice.
		done := a.Status == Done || a.Status == Made && holds == Gone
		return v.with(q.Content), a.Status == Open || done && tells(a, len(v)+1, q.Content)
	case Delete:
		switch {
		case q.If != 0 && q.If != len(v):
			return v, a.Status == Refused || a.Status == Open
		case holds != Done: // nothing left to be deleted, which is no failure
			return v, a.Status == Done || a.Status == Open
		}
		return v.with(""), a.Status == Open || a.Status == Done && (a.Number == 0 || a.Number == len(v)+1)
	}
	return v, false
}

func (v versions) with(content string) versions {
	return append(v[:len(v):len(v)], content)
}

// tells reports whether an answer tells of this version, as far as it tells anything.
func tells(a Answer, number int, content string) bool {
	return (a.Number == 0 || a.Number == number) && (a.Content == "" || a.Content == content)
}
