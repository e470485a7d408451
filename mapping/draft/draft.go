package draft

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/codes"
)

// Languages of comments and questions.
const (
	English = "en"
	Chinese = "zh"
)

// Options say what the institution is called, and how it is written about.
type Options struct {
	ID     string         // default: draft
	Name   string         // default: the ID, to be asked
	Lang   string         // English (default) or Chinese
	Known  []*codes.Table // tables of institutions that are connected already: equal names get the same target
	Is     []string       // answers: TABLE.COLUMN=CONCEPT, COLUMN=CONCEPT, TABLE=@KIND; - for what is to be left alone
	Limits Limits
}

// Draft is the folder that was drafted.
type Draft struct {
	Files     []mapping.File // by path inside the folder, institution.yaml first
	Questions []Question
	Tables    []Table
	Guessed   int // fields whose meaning was guessed
	Doubtful  int // of those, how many are marked
	Asked     int // fields whose meaning is asked
	Records   int // rows, messages and documents read
	Checked   int // records of the samples that were mapped with the draft
	Refused   int // findings that would keep one from being taken in
}

// Table is a kind of record found: a table, a kind of document, an array inside one.
type Table struct {
	Name   string
	Kind   string // patient, visit, …; "" when not known
	Rows   int
	Fields []Field
}

// Field is a column or a path, and what it was taken for.
type Field struct {
	Path    string
	Concept string // "" when it is asked
	Doubt   bool
}

// drafter makes one draft.
type drafter struct {
	o       Options
	lim     Limits
	lex     *lexicon
	samples *samples
	files   []mapping.File
	kinds   []*documentKind
	out     *Draft
	unasked int
	told    map[*column]*concept // what was answered

	compared int // values looked for in other columns

	codes     []*codeTable
	names     map[string]bool // of maps
	joins     []*join
	main      []*tableSample // tables that have a map
	facts     *messageFacts
	patientBy string // the concept whose number tells patients apart everywhere
	visitBy   string // the concept whose number tells visits apart where there is no visit number
}

// From drafts a folder. What it cannot read it asks about; it fails only when there is nothing at all to go by.
func From(files []mapping.File, o Options) (*Draft, error) {
	if o.ID == "" {
		o.ID = "draft"
	}
	if o.Lang == "" {
		o.Lang = English
	}
	if o.Lang != English && o.Lang != Chinese {
		return nil, fmt.Errorf("draft: language %q; want %s or %s", o.Lang, English, Chinese)
	}
	if !goodID(o.ID) {
		return nil, fmt.Errorf("draft: id %q; want at most 64 small letters, digits and hyphens, and not alliance", o.ID)
	}
	d := &drafter{o: o, lim: o.Limits.orDefault(), lex: theLexicon(), files: files, out: &Draft{}, names: map[string]bool{}}
	d.samples = read(files, d.lim)
	d.kinds = d.samples.group()
	if len(d.samples.tables)+len(d.kinds)+len(d.samples.messages) == 0 {
		return nil, fmt.Errorf("draft: %w", d.nothing())
	}
	if err := d.answer(); err != nil {
		return nil, err
	}
	d.guess()
	d.infer()
	d.report()
	d.relate()
	d.messages()
	d.maps()
	d.write()
	d.cases()
	d.check()
	d.finish()
	return d.out, nil
}

// nothing says why there is nothing to draft from.
func (d *drafter) nothing() error {
	if len(d.samples.refused) > 0 {
		r := d.samples.refused[0]
		return fmt.Errorf("%s holds no record that can be read [%s]", r.file, r.code)
	}
	return errEmpty
}

var errEmpty = fmt.Errorf("no records in the samples")

// guess decides what every table and column is.
func (d *drafter) guess() {
	g := &guesser{lex: d.lex, told: d.told}
	for _, t := range d.samples.tables {
		profileAll(t.scope)
		g.scope(t.scope)
	}
	for _, k := range d.kinds {
		profileAll(k.scope)
		g.scope(k.scope)
	}
}

// report counts what was guessed, and asks about the rest.
func (d *drafter) report() {
	var scopes []*scope
	for _, t := range d.samples.tables {
		scopes = append(scopes, t.scope)
	}
	for _, k := range d.kinds {
		scopes = append(scopes, k.scope)
	}
	d.out.Records = len(d.samples.messages)
	for i := 0; i < len(scopes); i++ {
		s := scopes[i]
		scopes = append(scopes, s.kids...)
		if s.parent == nil {
			d.out.Records += s.rows
		}
		t := Table{Name: d.title(s), Kind: string(s.kind), Rows: s.rows}
		for _, c := range s.columns {
			f := Field{Path: c.heading(), Doubt: c.doubt}
			if c.left {
				continue
			}
			if c.concept != nil {
				f.Concept = c.concept.name
				d.out.Guessed++
				if c.doubt {
					d.out.Doubtful++
				}
			} else {
				d.out.Asked++
			}
			t.Fields = append(t.Fields, f)
		}
		d.out.Tables = append(d.out.Tables, t)
	}
}

// title is how a scope is called in the list of questions.
func (d *drafter) title(s *scope) string {
	switch {
	case s.each != "" && s.root().name != "":
		return s.root().name + "/" + s.each
	case s.each != "":
		return s.each + "[]"
	case s.name == "":
		return d.say(text{"document", "文档"})
	}
	return s.name
}

func (d *drafter) place(c *column) string {
	return d.title(c.scope) + ": " + c.heading()
}

func (d *drafter) file(path string, data []byte) {
	d.out.Files = append(d.out.Files, mapping.File{Name: path, Bytes: data})
}

// unique returns a name that no other map has.
func (d *drafter) unique(name string) string {
	out := name
	for n := 2; d.names[out]; n++ {
		out = fmt.Sprintf("%s-%d", name, n)
	}
	d.names[out] = true
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// ID makes the id of an institution of a name: its letters and digits, of Chinese characters the initials of their Pinyin.
func ID(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case unicode.Is(unicode.Han, r):
			b.WriteString(initials(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	id := slug(b.String())
	if len(id) > 64 {
		id = strings.Trim(id[:64], "-")
	}
	if id == "local" || id == "alliance" {
		return "draft"
	}
	return id
}

// goodID reports whether an institution may have the id.
func goodID(id string) bool {
	return id != "alliance" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && !strings.HasPrefix(id, "-")
}
