package validate

import (
	"strconv"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// Options bound and steer a Validator. The zero value means the defaults.
type Options struct {
	// MaxIssues is how many findings are reported for one resource before the
	// walk stops with a last one saying so; 0 means DefaultMaxIssues.
	MaxIssues int
	// MaxDepth is how deep objects may nest; 0 means DefaultMaxDepth.
	MaxDepth int
}

// Defaults of Options.
const (
	DefaultMaxIssues = 200
	DefaultMaxDepth  = 128
)

// Validator judges resources. It is safe for concurrent use.
type Validator struct {
	defs    *definitions.Definitions
	options Options
	plans   sync.Map // type name → *plan; each compiled on first use
}

// New returns a validator of the base definitions.
func New(defs *definitions.Definitions, options Options) *Validator {
	if options.MaxIssues <= 0 {
		options.MaxIssues = DefaultMaxIssues
	}
	if options.MaxDepth <= 0 {
		options.MaxDepth = DefaultMaxDepth
	}
	return &Validator{defs: defs, options: options}
}

// Resource judges one resource. No issues of severity error or fatal means
// that it conforms. It only reads the tree.
func (v *Validator) Resource(n *fhir.Node) []fhir.Issue {
	r := run{v: v}
	r.path = r.pathStore[:0]
	r.resource(n)
	return r.issues
}

// run is one walk over a resource.
type run struct {
	v         *Validator
	issues    []fhir.Issue
	full      bool // no more issues are taken, the walk ends
	root      string
	path      []step
	pathStore [24]step
	scope     *scope
}

// step is one element of the way from the root to where the walk is.
type step struct {
	name  string
	index int // position in an array, or none
}

const none = -1

func (r *run) push(name string, index int) { r.path = append(r.path, step{name, index}) }
func (r *run) pop()                        { r.path = r.path[:len(r.path)-1] }

// report notes a finding about the place the walk is at.
func (r *run) report(n *fhir.Node, severity fhir.Severity, m message, details ...string) {
	r.reportBelow(n, severity, m, "", details...)
}

// fail is report for errors.
func (r *run) fail(n *fhir.Node, m message, details ...string) {
	r.reportBelow(n, fhir.Error, m, "", details...)
}

// reportBelow notes a finding about a child of the place the walk is at.
func (r *run) reportBelow(n *fhir.Node, severity fhir.Severity, m message, child string, details ...string) {
	if r.full {
		return
	}
	if len(r.issues) >= r.v.options.MaxIssues {
		r.full = true
		severity, m, details = fhir.Error, msgTooManyIssues, []string{strconv.Itoa(r.v.options.MaxIssues)}
	}
	line, column := n.Position()
	said := m.say(details)
	r.issues = append(r.issues, fhir.Issue{
		Severity:   severity,
		Code:       m.code,
		ID:         m.id,
		Expression: r.expression(child),
		Line:       line,
		Column:     column,
		Text:       said.english,
		Chinese:    said.chinese,
	})
}

// expression writes the location in FHIRPath.
func (r *run) expression(child string) string {
	var b strings.Builder
	b.WriteString(r.root)
	for _, s := range r.path {
		b.WriteByte('.')
		b.WriteString(s.name)
		if s.index != none {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(s.index))
			b.WriteByte(']')
		}
	}
	if child != "" {
		b.WriteByte('.')
		b.WriteString(child)
	}
	return b.String()
}

// at is the node itself if there is one, else its parent: where a finding
// about something absent is placed.
func at(n, parent *fhir.Node) *fhir.Node {
	if n != nil {
		return n
	}
	return parent
}
