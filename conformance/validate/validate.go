package validate

import (
	"strconv"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
	"github.com/yilian/yilian/conformance/snapshot"
	"github.com/yilian/yilian/conformance/terminology"
)

// Options bound and steer a Validator. The zero value means the defaults.
type Options struct {
	// MaxIssues is how many findings are reported for one resource before the
	// walk stops with a last one saying so; 0 means DefaultMaxIssues.
	MaxIssues int
	// MaxDepth is how deep objects may nest; 0 means DefaultMaxDepth.
	MaxDepth int
	// MaxSteps is how much work profiles may cause, and questions about codes; 0
	// means DefaultMaxSteps.
	MaxSteps int

	// Thorough asks for all that FHIR says of a resource and not only its
	// shape: invariants, profiles, bindings of every strength, codes of known
	// systems, rules of bundles, extensions, answers to questionnaires.
	Thorough bool
	// Profiles are canonical URLs that every resource that is handed over must
	// conform to, besides those it claims. They imply Thorough.
	Profiles []string
	// Source finds definitions beyond those of the specification; nil for none.
	Source Source
	// Standing are resources that hold without being named by what they hold for:
	// the global profiles of ImplementationGuides, to which every resource of
	// their types must conform, and supplements of code systems.
	Standing []*fhir.Node
	// Catalog knows code systems and value sets. nil is one over the definitions,
	// Source and the supplements among Standing.
	Catalog *terminology.Catalog
	// Resolver finds the targets of references; with one, a target that it does
	// not find is reported.
	Resolver Resolver
	// UnknownExtensions is the severity of extensions that no definition is
	// known of; empty for Information.
	UnknownExtensions fhir.Severity
	// NoBestPractice leaves out rules that the specification marks as such.
	NoBestPractice bool
	// NoExamples makes errors of extensions with URLs of example.org and its
	// like; they are accepted otherwise.
	NoExamples bool
	// Displays is the severity of texts of codes that the code system does not
	// have, where the resource is in English or does not say; empty to accept all.
	Displays fhir.Severity
	// Security makes errors of texts that would do harm where they are shown as
	// HTML without care; they are information otherwise.
	Security bool
}

// Defaults of Options.
const (
	DefaultMaxIssues = 200
	DefaultMaxDepth  = 128
	DefaultMaxSteps  = 4_000_000
)

// Validator judges resources. It is safe for concurrent use.
type Validator struct {
	defs    *definitions.Definitions
	options Options
	plans   sync.Map // type name → *plan; each compiled on first use

	model      *fhirpath.Model
	invariants sync.Map // *definitions.Constraint → *invariant
	profiles   sync.Map // canonical → *profileSlot
	catalog    *terminology.Catalog
	global     map[string][]string // type → canonicals of profiles

	snapshotting sync.Once
	snapshots    *snapshot.Generator
}

// New returns a validator over the definitions.
func New(defs *definitions.Definitions, options Options) *Validator {
	if options.MaxIssues <= 0 {
		options.MaxIssues = DefaultMaxIssues
	}
	if options.MaxDepth <= 0 {
		options.MaxDepth = DefaultMaxDepth
	}
	if options.MaxSteps <= 0 {
		options.MaxSteps = DefaultMaxSteps
	}
	if options.UnknownExtensions == "" {
		options.UnknownExtensions = fhir.Information
	}
	options.Thorough = options.Thorough || len(options.Profiles) > 0
	v := &Validator{defs: defs, options: options, model: fhirpath.NewModel(defs), catalog: options.Catalog}
	if v.catalog == nil {
		terms := terminology.Options{Resources: supplements(options.Standing)}
		if options.Source != nil {
			terms.Source = options.Source
		}
		v.catalog = terminology.New(defs, terms)
	}
	v.global = globalProfiles(options.Standing)
	return v
}

// Resource judges one resource. No issues of severity error or fatal means
// that it conforms. It only reads the tree.
func (v *Validator) Resource(n *fhir.Node) []fhir.Issue {
	return v.resource(n, v.options.Profiles)
}

// Conforms judges a resource against one profile besides those that it claims.
// The validator must be a thorough one for it to judge more than shape.
func (v *Validator) Conforms(n *fhir.Node, profile string) []fhir.Issue {
	return v.resource(n, []string{profile})
}

func (v *Validator) resource(n *fhir.Node, profiles []string) []fhir.Issue {
	r := runs.Get().(*run)
	*r = run{v: v, asked: profiles, thorough: v.options.Thorough}
	r.path = r.pathStore[:0]
	r.resource(n)
	if r.inquiry != nil && r.inquiry.Exhausted() {
		r.report(n, fhir.Warning, msgTermsTooCostly, strconv.Itoa(v.options.MaxSteps))
	}
	issues, thorough := r.issues, r.thorough
	*r = run{}
	runs.Put(r)
	if thorough && len(issues) > 1 {
		return distinct(issues)
	}
	return issues
}

// runs are walks that have ended; they hold nothing.
var runs = sync.Pool{New: func() any { return new(run) }}

// distinct drops findings that another rule made before, such as the base
// definition and a profile of it.
func distinct(issues []fhir.Issue) []fhir.Issue {
	seen := make(map[fhir.Issue]bool, len(issues))
	out := issues[:0]
	for _, i := range issues {
		if !seen[i] {
			seen[i] = true
			out = append(out, i)
		}
	}
	return out
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

	thorough bool
	bare     bool              // no profiles
	errors   int               // reported
	advice   int               // of other severities reported
	asked    []string          // profiles for the resource handed over
	top      *fhir.Node        // the resource handed over
	bundles  []*bundle         // those around the place, innermost last
	steps    int               // work done for profiles
	verdicts map[trialKey]bool // whether a node conforms to a profile
	said     map[trialKey]bool // profiles whose findings about a node are reported
	depth    int               // of profiles within profiles
	inquiry  *terminology.Inquiry

	lastReference string // as it was read last
	lastTarget    target
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
func (r *run) report(n *fhir.Node, severity fhir.Severity, m message, details ...any) {
	r.reportBelow(n, severity, m, "", details...)
}

// fail is report for errors.
func (r *run) fail(n *fhir.Node, m message, details ...any) {
	r.reportBelow(n, fhir.Error, m, "", details...)
}

// reportBelow notes a finding about a child of the place the walk is at.
func (r *run) reportBelow(n *fhir.Node, severity fhir.Severity, m message, child string, details ...any) {
	if r.admits(n, severity, child) {
		r.add(n, m.Issue(severity, details...), child)
	}
}

// admits counts a finding of a severity and tells whether there is room for it. Where the room ends, it says so.
func (r *run) admits(n *fhir.Node, severity fhir.Severity, child string) bool {
	if r.full {
		return false
	}
	most := r.v.options.MaxIssues
	if severity != fhir.Error && severity != fhir.Fatal {
		// Advice must not keep errors from being found.
		if r.thorough {
			if r.advice++; r.advice == most+1 {
				r.add(n, msgTooManyIssues.Issue(fhir.Information, most), child)
			}
			if r.advice > most {
				return false
			}
		}
	} else {
		r.errors++
	}
	if r.thorough && r.errors > most || !r.thorough && len(r.issues) >= most {
		r.full = true
		r.add(n, msgTooManyIssues.Issue(fhir.Error, most), child)
		return false
	}
	return true
}

// add notes a finding with its place.
func (r *run) add(n *fhir.Node, issue fhir.Issue, child string) {
	issue.Line, issue.Column = n.Position()
	issue.Expression = r.expression(child)
	r.issues = append(r.issues, issue)
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
