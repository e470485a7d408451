package search

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// Options configure an Engine.
type Options struct {
	// Bases are the addresses this server is known under, such as
	// "https://example.org/fhir": references to them are local. See Engine.SetBases.
	Bases []string
	// Zone is where dates without a zone are; nil means +08:00.
	Zone *time.Location
	// Aliases make several identifier systems one; nil means DefaultAliases. See
	// Engine.SetAliases.
	Aliases Aliases
	Limits  Limits
	// NoContent leaves _content out, which needs a row for every word of a resource.
	NoContent bool
	// Terminology answers :in, :not-in, :above and :below of tokens, which are
	// refused without it. See Engine.SetTerminology.
	Terminology Terminology
	// Now is the clock of the prefix ap; nil means time.Now.
	Now func() time.Time
}

// Limits bound what a query may ask for and what a resource may be found by. A
// zero field means its default.
type Limits struct {
	Parameters  int // in a query; default DefaultMaxParameters
	Values      int // separated by commas, over all parameters; default DefaultMaxValues
	ValueLength int // bytes of one parameter's value; default DefaultMaxValueLength
	Chain       int // references a chain or _has follows; default DefaultMaxChain
	Sort        int // sort keys; default DefaultMaxSort
	Includes    int // _include and _revinclude together; default DefaultMaxIncludes
	Count       int // page size if the client names none; default DefaultCount
	MaxCount    int // largest page size, larger ones are cut; default DefaultMaxCount
	IndexValues int // index values of one resource; default DefaultMaxIndexValues
	IndexText   int // bytes of one indexed text, longer ones are cut; default DefaultMaxIndexText
	IndexTerms  int // words of one resource that _text and _content find it by; default DefaultMaxIndexTerms
	Codes       int // that a value set or hierarchy of codes may stand for; default DefaultMaxCodes
	Filter      int // conditions in one _filter or _text; default DefaultMaxFilter
}

// Defaults of Limits.
const (
	DefaultMaxParameters  = 50
	DefaultMaxValues      = 1000
	DefaultMaxValueLength = 16 << 10
	DefaultMaxChain       = 3
	DefaultMaxSort        = 4
	DefaultMaxIncludes    = 20
	DefaultCount          = 50
	DefaultMaxCount       = 1000
	DefaultMaxIndexValues = 20_000
	DefaultMaxIndexText   = 1 << 10
	DefaultMaxIndexTerms  = 5000
	DefaultMaxCodes       = 1000
	DefaultMaxFilter      = 100
)

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field    *int
		fallback int
	}{
		{&l.Parameters, DefaultMaxParameters}, {&l.Values, DefaultMaxValues}, {&l.ValueLength, DefaultMaxValueLength},
		{&l.Chain, DefaultMaxChain}, {&l.Sort, DefaultMaxSort}, {&l.Includes, DefaultMaxIncludes},
		{&l.Count, DefaultCount}, {&l.MaxCount, DefaultMaxCount},
		{&l.IndexValues, DefaultMaxIndexValues}, {&l.IndexText, DefaultMaxIndexText},
		{&l.IndexTerms, DefaultMaxIndexTerms}, {&l.Codes, DefaultMaxCodes}, {&l.Filter, DefaultMaxFilter},
	} {
		*f.field = cmp.Or(*f.field, f.fallback)
	}
	return l
}

// Engine extracts index values and parses queries. It is safe for concurrent
// use. What a resource type needs is compiled when it is first met.
type Engine struct {
	defs  *definitions.Definitions
	model *fhirpath.Model
	opts  Options
	env   fhirpath.Env
	// referrers are found when a Capability is first asked for.
	referrers func() map[string][]string

	bases       atomic.Pointer[[]string] // each ends with a slash
	aliases     atomic.Pointer[Aliases]
	terminology atomic.Pointer[Terminology]
	set         atomic.Pointer[parameterSet]
	texts       textTrees
}

// New returns an engine over the definitions.
func New(defs *definitions.Definitions, opts Options) *Engine {
	if opts.Zone == nil {
		opts.Zone = time.FixedZone("+08:00", 8*3600)
	}
	if opts.Aliases == nil {
		opts.Aliases = DefaultAliases()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Limits = opts.Limits.withDefaults()
	e := &Engine{
		defs:  defs,
		model: fhirpath.NewModel(defs),
		opts:  opts,
		env:   fhirpath.Env{Resolver: fhirpath.TypesOnly},
	}
	e.set.Store(newParameterSet(nil))
	e.SetTerminology(opts.Terminology)
	e.SetAliases(opts.Aliases)
	e.SetBases(opts.Bases)
	e.referrers = sync.OnceValue(e.findReferrers)
	return e
}

// Aliases maps the names of an identifier system to the one it is indexed and
// searched under.
type Aliases map[string]string

// DefaultAliases are the systems of Chinese identifiers that are in use under
// several OIDs: those of the national health commission's document standards,
// and those of HL7 China.
func DefaultAliases() Aliases {
	const (
		resident   = "urn:oid:2.16.156.10011.1.3"
		healthCard = "urn:oid:2.16.156.10011.1.19"
	)
	return Aliases{
		"urn:oid:2.16.840.1.113883.2.23.1.19.1": resident,
		"urn:oid:2.16.840.1.113883.2.23.1.9.1":  resident,
		"urn:oid:2.16.840.1.113883.2.23.1.19.2": healthCard,
		"urn:oid:2.16.840.1.113883.2.23.1.9.2":  healthCard,
	}
}

// closed follows aliases of aliases to their end. Of a circle, the least name
// stands for all.
func (a Aliases) closed() Aliases {
	out := make(Aliases, len(a))
	for from := range a {
		path := []string{from}
		for {
			next, more := a[path[len(path)-1]]
			if !more {
				break
			}
			if i := slices.Index(path, next); i >= 0 {
				path = append(path, slices.Min(path[i:]))
				break
			}
			path = append(path, next)
		}
		if to := path[len(path)-1]; to != from {
			out[from] = to
		}
	}
	return out
}

// Canonical returns the system that stands for a system's aliases.
func (a Aliases) Canonical(system string) string {
	if c, ok := a[system]; ok {
		return c
	}
	return system
}

// System returns the identifier system that values of the given one are indexed
// under.
func (e *Engine) System(system string) string { return e.aliases.Load().Canonical(system) }

// SetAliases replaces the aliases from now on. What is indexed already stays under
// the system that it was indexed under.
func (e *Engine) SetAliases(a Aliases) {
	closed := a.closed()
	e.aliases.Store(&closed)
}

// SetBases replaces the addresses of this server from now on: before it is known where it
// listens, nothing can be said of them. What is indexed already stays as it is.
func (e *Engine) SetBases(bases []string) {
	list := make([]string, len(bases))
	for i, b := range bases {
		list[i] = strings.TrimRight(b, "/") + "/"
	}
	e.bases.Store(&list)
}

// Relative takes the address of this server off a URL that begins with one.
func (e *Engine) Relative(url string) string {
	for _, base := range *e.bases.Load() {
		if rest, ok := strings.CutPrefix(url, base); ok {
			return rest
		}
	}
	return url
}
