package witness_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/yilian/yilian/internal/witness"
)

const limit = 10 * time.Second

// op is an operation between two times.
func op(began, ended int64, q witness.Question, a witness.Answer) witness.Operation {
	q.Part = "p"
	return witness.Operation{Question: q, Answer: a, Began: began, Ended: ended}
}

func create(content string) witness.Question {
	return witness.Question{Verb: witness.Create, Content: content}
}

func update(content string, ifMatch int) witness.Question {
	return witness.Question{Verb: witness.Update, Content: content, If: ifMatch}
}

func createIf(content string) witness.Question {
	return witness.Question{Verb: witness.CreateIf, Content: content}
}

func updateIf(content string) witness.Question {
	return witness.Question{Verb: witness.UpdateIf, Content: content}
}

func old(number int) witness.Question {
	return witness.Question{Verb: witness.ReadOld, Number: number}
}

var (
	read   = witness.Question{Verb: witness.Read}
	past   = witness.Question{Verb: witness.Past}
	remove = witness.Question{Verb: witness.Delete}
	find   = witness.Question{Verb: witness.Find}

	open    = witness.Answer{}
	absent  = witness.Answer{Status: witness.Absent}
	gone    = witness.Answer{Status: witness.Gone}
	refused = witness.Answer{Status: witness.Refused}
)

func written(number int) witness.Answer { return witness.Answer{Status: witness.Done, Number: number} }

func found(number int, content string) witness.Answer {
	return witness.Answer{Status: witness.Done, Number: number, Content: content}
}

func made(id string) witness.Answer {
	return witness.Answer{Status: witness.Made, Number: 1, ID: id}
}

func as(id string, a witness.Answer) witness.Answer {
	a.ID = id
	return a
}

func all(contents ...string) witness.Answer {
	return witness.Answer{Status: witness.Done, All: contents}
}

func TestCheckKnowsWhatOneServerAnswers(t *testing.T) {
	list := func(l ...witness.Operation) []witness.Operation { return l }
	for _, tt := range []struct {
		name    string
		model   witness.Model
		history []witness.Operation
		refused bool
	}{
		{"nothing happened", witness.Versions(), nil, false},
		{"one after another", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 1), written(2)), op(5, 6, read, found(2, "b")),
			op(7, 8, old(1), found(1, "a")), op(9, 10, past, all("a", "b"))), false},
		{"a read beside a write sees the old", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 9, update("b", 0), written(2)), op(4, 5, read, found(1, "a"))), false},
		{"a read beside a write sees the new", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 9, update("b", 0), written(2)), op(4, 5, read, found(2, "b"))), false},
		{"a stale read", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), written(2)), op(5, 6, read, found(1, "a"))), true},
		{"a read sees the new and the next the old", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 9, update("b", 0), written(2)), op(4, 5, read, found(2, "b")),
			op(6, 7, read, found(1, "a"))), true},
		{"a lost commit", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), written(2)), op(5, 6, past, all("a"))), true},
		{"a lost commit, its number given again", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), written(2)), op(5, 6, update("c", 0), written(2)),
			op(7, 8, past, all("a", "c"))), true},
		{"a gap in the numbers", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), written(3))), true},
		{"a version twice", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), written(2)), op(5, 6, past, all("a", "b", "b"))), true},
		{"versions in another order", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), written(2)), op(5, 6, update("c", 0), written(3)),
			op(7, 8, past, all("a", "c", "b"))), true},
		{"an old version with another content", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), written(2)), op(5, 6, old(1), found(1, "b"))), true},
		{"one of two wins", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 9, update("b", 1), refused), op(3, 9, update("c", 1), written(2))), false},
		{"two of two win", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 9, update("b", 1), written(2)), op(3, 9, update("c", 1), written(2))), true},
		{"nobody wins", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 9, update("b", 1), refused), op(3, 9, update("c", 1), refused)), true},
		{"deleted, brought back, and deleted twice", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, remove, written(2)), op(5, 6, read, gone), op(7, 8, old(2), gone),
			op(9, 10, update("b", 0), witness.Answer{Status: witness.Made, Number: 3}), op(11, 12, remove, written(4)),
			op(13, 14, remove, written(0)), op(15, 16, past, all("a", "", "b", ""))), false},
		{"deleted and still read", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, remove, written(2)), op(5, 6, read, found(1, "a"))), true},
		{"an open write that happened", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 0, update("b", 0), open), op(4, 5, read, found(1, "a")),
			op(6, 7, read, found(2, "b")), op(8, 9, update("c", 0), written(3)), op(10, 11, past, all("a", "b", "c"))), false},
		{"an open write that never happened", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 0, update("b", 0), open), op(4, 5, update("c", 0), written(2)),
			op(6, 7, past, all("a", "c"))), false},
		{"an open write that happened twice", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 0, update("b", 0), open), op(4, 5, past, all("a", "b", "b"))), true},
		{"an open write that happened and was undone", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 0, update("b", 0), open), op(4, 5, read, found(2, "b")),
			op(6, 7, past, all("a"))), true},
		{"an open write that happened before it was asked for", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, read, found(2, "b")), op(5, 0, update("b", 0), open)), true},
		{"an open write with a condition that did not hold", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), written(2)), op(5, 0, update("c", 1), open),
			op(6, 7, past, all("a", "b", "c"))), true},
		{"an open deletion that happened", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 0, remove, open), op(4, 5, read, found(1, "a")), op(6, 7, read, gone)), false},
		{"a write that was not sent never happens", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), witness.Answer{Status: witness.Unsent}),
			op(5, 6, read, found(1, "a"))), false},
		{"a write that was not sent happened", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 4, update("b", 0), witness.Answer{Status: witness.Unsent}),
			op(5, 6, read, found(2, "b"))), true},
		{"an open read says nothing", witness.Versions(), list(
			op(1, 2, create("a"), made("")), op(3, 0, read, open)), false},

		{"one conditional create of two", witness.Register(), list(
			op(1, 9, createIf("a"), made("x")), op(2, 8, createIf("b"), as("x", found(1, "a"))),
			op(10, 11, find, as("x", found(1, "a")))), false},
		{"two conditional creates of two", witness.Register(), list(
			op(1, 9, createIf("a"), made("x")), op(2, 8, createIf("b"), made("y"))), true},
		{"a search finds two", witness.Register(), list(
			op(1, 2, createIf("a"), made("x")), op(3, 4, find, witness.Answer{Status: witness.Many})), true},
		{"a search does not find what was made", witness.Register(), list(
			op(1, 2, createIf("a"), made("x")), op(3, 4, find, absent)), true},
		{"a stale search", witness.Register(), list(
			op(1, 2, createIf("a"), made("x")), op(3, 4, updateIf("b"), as("x", written(2))),
			op(5, 6, find, as("x", found(1, "a")))), true},
		{"a lost conditional update", witness.Register(), list(
			op(1, 2, createIf("a"), made("x")), op(3, 4, updateIf("b"), as("x", written(2))),
			op(5, 6, updateIf("c"), as("x", written(2)))), true},
		{"conditional updates make and change", witness.Register(), list(
			op(1, 2, find, absent), op(3, 9, updateIf("a"), made("x")), op(3, 9, updateIf("b"), as("x", written(2))),
			op(10, 11, read, as("x", found(2, "b"))), op(12, 13, past, as("x", all("a", "b")))), false},
		{"an open create that happened", witness.Register(), list(
			op(1, 0, createIf("a"), open), op(2, 3, find, absent), op(4, 5, createIf("b"), as("x", found(1, "a"))),
			op(6, 7, updateIf("c"), as("x", written(2))), op(8, 9, past, as("x", all("a", "c")))), false},
		{"what an open create made is known by another id later", witness.Register(), list(
			op(1, 0, createIf("a"), open), op(2, 3, find, as("x", found(1, "a"))), op(4, 5, find, as("y", found(1, "a")))), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := witness.Check(tt.model, tt.history, limit)
			var violation *witness.Violation
			if rejected := errors.As(err, &violation); rejected != tt.refused || !rejected && err != nil {
				t.Errorf("judged %v, want a violation: %v", err, tt.refused)
			}
		})
	}
}

func TestAViolationNamesItsPartAndTellsWhatHappened(t *testing.T) {
	list := []witness.Operation{
		{Client: 1, Question: witness.Question{Part: "one", Verb: witness.Create, Content: "a"}, Answer: made(""), Began: 1, Ended: 2},
		{Client: 2, Question: witness.Question{Part: "two", Verb: witness.Create, Content: "b"}, Answer: made(""), Began: 3, Ended: 4},
		{Client: 3, Question: witness.Question{Part: "two", Verb: witness.Read}, Answer: absent, Began: 5, Ended: 6},
	}
	err := witness.Check(witness.Versions(), list, limit)
	var violation *witness.Violation
	if !errors.As(err, &violation) {
		t.Fatalf("judged %v", err)
	}
	if violation.Part != "two" || len(violation.Operations) != 2 {
		t.Errorf("%d operations of %s, want 2 of two", len(violation.Operations), violation.Part)
	}
	for _, want := range []string{"versions of two:", "client 2: create b: made 1", "client 3: read: absent"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
}

func TestWhatIsNotDecidedInTimeIsAFailure(t *testing.T) {
	// Writes whose numbers nobody was told, all at once, and a last version that none of them wrote.
	list := []witness.Operation{op(1, 2, create("a"), made(""))}
	for i := range 24 {
		list = append(list, op(3, 1000, update(fmt.Sprint("b", i), 0), written(0)))
	}
	list = append(list, op(2000, 2001, read, found(25, "none")))
	err := witness.Check(witness.Versions(), list, 20*time.Millisecond)
	var undecided *witness.Undecided
	if !errors.As(err, &undecided) {
		t.Fatalf("judged %v", err)
	}
	if undecided.Part != "p" || undecided.Count != len(list) {
		t.Errorf("told %v", err)
	}
}

func TestAHistoryThatProvesNothingIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		model   witness.Model
		history []witness.Operation
		want    string
	}{
		{"the model does not know the verb", witness.Versions(), []witness.Operation{op(1, 2, find, absent)},
			"versions of p: it has no find"},
		{"one content twice", witness.Versions(),
			[]witness.Operation{op(1, 2, create("a"), made("")), op(3, 4, update("a", 0), written(2))},
			`versions of p: content "a" is not a word of its own`},
		{"no content", witness.Register(), []witness.Operation{op(1, 2, createIf(""), made("x"))},
			`register of p: content "" is not a word of its own`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := witness.Check(tt.model, tt.history, limit); err == nil || err.Error() != tt.want {
				t.Errorf("judged %v, want %s", err, tt.want)
			}
		})
	}
}

// served is what a server that does one thing after another answers: each operation happens at a time within its own.
func served(t *rapid.T) []witness.Operation {
	list := []witness.Operation{op(0, 1, create("w0"), made(""))}
	contents := []string{"w0"}
	for at := int64(10); at < int64(10*rapid.IntRange(3, 25).Draw(t, "operations")); at += 10 {
		began := at - rapid.Int64Range(0, 25).Draw(t, "before")
		ended := at + rapid.Int64Range(0, 25).Draw(t, "after")
		n := len(contents)
		switch rapid.IntRange(0, 4).Draw(t, "verb") {
		case 0:
			content := fmt.Sprint("w", at)
			contents = append(contents, content)
			list = append(list, op(max(began, 2), ended, update(content, 0), written(n+1)))
		case 1:
			content := fmt.Sprint("w", at)
			if rapid.Bool().Draw(t, "happened") {
				contents = append(contents, content)
			}
			list = append(list, op(max(began, 2), 0, update(content, 0), open))
		case 2:
			list = append(list, op(max(began, 2), ended, update(fmt.Sprint("w", at), n+1), refused))
		case 3:
			list = append(list, op(max(began, 2), ended, past, all(contents...)))
		default:
			list = append(list, op(max(began, 2), ended, read, found(n, contents[n-1])))
		}
	}
	return append(list, op(10_000, 10_001, past, all(contents...)))
}

func TestEveryHistoryOfOneServerIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := witness.Check(witness.Versions(), served(t), limit); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryPlantedFaultIsRejected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := served(t)
		contents := list[len(list)-1].Answer.All
		n := len(contents)
		switch rapid.SampledFrom([]string{"stale", "lost", "gap"}).Draw(t, "fault") {
		case "stale": // after all else, the version before the last is read
			list = append(list, op(20_000, 20_001, update("last", 0), written(n+1)),
				op(20_002, 20_003, read, found(n, contents[n-1])))
		case "lost": // a write that was answered is not there
			list = append(list, op(20_000, 20_001, update("lost", 0), written(n+1)),
				op(20_002, 20_003, past, all(contents...)))
		case "gap":
			list = append(list, op(20_000, 20_001, update("far", 0), written(n+2)))
		}
		var violation *witness.Violation
		if err := witness.Check(witness.Versions(), list, limit); !errors.As(err, &violation) {
			t.Errorf("judged %v", err)
		}
	})
}

func TestAHistoryKeepsTheOrderOfItsClock(t *testing.T) {
	h := witness.NewHistory()
	first := h.Ask(1, create("a"))
	second := h.Ask(2, read)
	first(made("x"))
	second(found(1, "a"))
	h.Ask(3, read)
	list := h.Operations()
	if len(list) != 3 {
		t.Fatalf("%d operations", len(list))
	}
	a, b, c := list[0], list[1], list[2]
	if a.Began > b.Began || b.Began > a.Ended || a.Ended > b.Ended || c.Began < b.Ended {
		t.Errorf("times %v", list)
	}
	if a.Client != 1 || a.Answer.ID != "x" || b.Answer.Content != "a" || c.Answer.Status != witness.Open {
		t.Errorf("recorded %v", list)
	}
}
