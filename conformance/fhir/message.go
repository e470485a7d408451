package fhir

import (
	_ "embed"
	"errors"
	"strconv"
	"strings"
)

//go:embed messages.txt
var messagesFile string

var messages = ReadMessages(messagesFile)

// Text says the same in both languages.
type Text struct{ English, Chinese string }

// Speaker is an error that knows both languages.
type Speaker interface {
	error
	Texts() Text
}

// Messages are the texts of the findings of one package. They are read from a file
// of entries with an empty line between them, where lines that begin with # are
// comments. An entry of three lines is a message: id, English, Chinese. One of two
// lines is a phrase, which is known by its English: a text without an id of its
// own, or a detail that is put into others. {1} to {9} stand for details.
type Messages struct {
	texts   map[string]Text
	phrases map[string]string
}

// ReadMessages panics if the file is not as it must be, so that a program with such
// a file does not start.
func ReadMessages(file string) *Messages {
	m := &Messages{texts: map[string]Text{}, phrases: map[string]string{}}
	for entry := range strings.SplitSeq(file, "\n\n") {
		var lines []string
		for line := range strings.Lines(entry) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		switch {
		case len(lines) == 0:
		case len(lines) == 3 && m.texts[lines[0]] == Text{}:
			m.texts[lines[0]] = Text{lines[1], lines[2]}
		case len(lines) == 2 && m.phrases[lines[0]] == "":
			m.phrases[lines[0]] = lines[1]
		default:
			panic("fhir: no entry, or one that is there already: " + lines[0])
		}
	}
	return m
}

// All are the texts by id, and of phrases by their English.
func (m *Messages) All() map[string]Text {
	out := make(map[string]Text, len(m.texts)+len(m.phrases))
	for id, t := range m.texts {
		out[id] = t
	}
	for english, chinese := range m.phrases {
		out[english] = Text{english, chinese}
	}
	return out
}

// New returns the message with an id. It panics if there is none, so that a program
// without a text does not start.
func (m *Messages) New(id string, code IssueType) Message {
	t, ok := m.texts[id]
	if !ok {
		panic("fhir: no texts for message " + id)
	}
	return Message{ID: id, Code: code, text: t, from: m}
}

// Say puts details into a phrase. Without a translation the Chinese is the English.
func (m *Messages) Say(english string, details ...any) Text {
	return m.with(m.phrase(english), details)
}

func (m *Messages) phrase(english string) Text {
	if chinese, ok := m.phrases[english]; ok {
		return Text{english, chinese}
	}
	return Text{english, english}
}

// Message is a kind of finding: its stable id, the issue type that it travels
// under, and its texts.
type Message struct {
	ID   string
	Code IssueType
	text Text
	from *Messages
}

// Say puts details into the texts of the message. A detail is a string (translated
// if it is a phrase), a number, a Text, an Issue, or an error (translated if it is a
// Speaker).
func (m Message) Say(details ...any) Text { return m.from.with(m.text, details) }

// Issue is a finding of this kind, without its place.
func (m Message) Issue(severity Severity, details ...any) Issue {
	t := m.Say(details...)
	return Issue{Severity: severity, Code: m.Code, ID: m.ID, Text: t.English, Chinese: t.Chinese}
}

func (m *Messages) with(t Text, details []any) Text {
	if len(details) == 0 {
		return t
	}
	var known [4]Text
	said := known[:0]
	for _, d := range details {
		said = append(said, m.detail(d))
	}
	return Text{
		fill(t.English, func(i int) string { return said[i].English }, len(said)),
		fill(t.Chinese, func(i int) string { return said[i].Chinese }, len(said)),
	}
}

// fill puts details where a text has {1} to {9}. What a detail says is not read
// again.
func fill(text string, detail func(i int) string, details int) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '{')
		if at < 0 || at+2 >= len(text) {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:at])
		if i := int(text[at+1] - '1'); text[at+2] == '}' && i >= 0 && i < details {
			b.WriteString(detail(i))
			text = text[at+3:]
			continue
		}
		b.WriteByte('{')
		text = text[at+1:]
	}
}

func (m *Messages) detail(d any) Text {
	switch d := d.(type) {
	case string:
		return m.phrase(d)
	case int:
		return Text{strconv.Itoa(d), strconv.Itoa(d)}
	case Text:
		return d
	case Issue:
		return Text{d.Text, d.In("zh")}
	case error:
		var s Speaker
		if errors.As(d, &s) {
			return s.Texts()
		}
		return Text{d.Error(), d.Error()}
	}
	panic("fhir: a detail of a kind that messages do not have")
}
