package interaction

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// Store is what the engine needs of a store.
type Store interface {
	store.Reader
	store.Writer
	store.IdentityReader
	store.Archive
	store.States
	store.Leftovers
	store.Labels
	store.Erasures
	Record(ctx context.Context, id string) (store.Record, error)
}

// Answers keeps answers that took work. What an answer rests on is part of its question;
// one that is kept may be gone at any time, and is never another question's.
type Answers interface {
	Get(ctx context.Context, question ...string) ([]byte, bool)
	Keep(answer []byte, question ...string)
}

// Validator finds what is wrong with a resource by the base specification.
type Validator interface {
	Resource(*fhir.Node) []fhir.Issue
}

// Config is what an Engine is made of.
type Config struct {
	Store Store
	Index *search.Engine
	// Validator judges by the base specification, whose errors refuse a write.
	Validator Validator
	// Profiles judges by the profiles that a resource claims; nil: nothing does.
	Profiles Validator
	// ProfilePolicy says what the errors of Profiles do to the resources of an
	// institution; nil: they are recorded.
	ProfilePolicy func(institution string) ProfilePolicy
	// Stored is told how many errors of Profiles are in a resource that was stored.
	// Optional.
	Stored      func(institution string, errors int)
	Definitions *definitions.Definitions
	// Guide has definitions beyond those of FHIR, for terminology and $validate; nil:
	// there are none.
	Guide Definer
	// Imported has code systems that are no resources, which everybody sees; nil: there
	// are none.
	Imported Imported
	// Answers keeps the expansions of value sets; nil: each is made anew.
	Answers  Answers
	Identity *identity.Index
	// Base is the alliance's base URL, the root of tags, sources and local systems.
	Base string
	// FHIRBase is the address the FHIR endpoint is known under, without a slash at
	// the end; references to it are local, and to those that Index knows besides.
	FHIRBase string
	// Key authenticates page cursors; random when empty, as long as one process
	// serves all pages.
	Key   []byte
	Limit Limits
	// UpdateCreates lets clients create resources under ids of their own, by updating
	// what is not there.
	UpdateCreates bool
	// DeletesMany lets a conditional delete mean more than one resource.
	DeletesMany bool
	// Expunges lets clients erase resources for good, by $expunge.
	Expunges bool
	// Expunged is told of each resource that was erased, or lost versions, in place of all
	// that was known of it. Optional.
	Expunged func(ctx context.Context, k store.Key, client string)
	// Version of the program, and how access is controlled, for the capability
	// statement.
	Version  string
	Security string
}

// Limits bound what one request may ask for. A zero field means its default.
type Limits struct {
	Page     int // resources a page; default DefaultPage
	MaxPage  int // largest page a client may ask for; default DefaultMaxPage
	Included int // resources that _include and _revinclude may add to a page; default DefaultIncluded
	// Iterations is how often :iterate follows what was included. Default DefaultIterations.
	Iterations int
	History    int // versions a history page; default DefaultPage
	Entries    int // entries of a batch or transaction; default DefaultEntries
	Deletes    int // resources that one conditional delete may mean; default DefaultDeletes
	// Parameters is how many SearchParameters may be in effect; default DefaultParameters.
	Parameters int
	// Expunged is how many resources and versions one $expunge may remove; default
	// DefaultExpunged.
	Expunged int
	// Hierarchy is how many resources :above and :below of a reference may mean. Default
	// DefaultHierarchy.
	Hierarchy int
	// LastN is how many Observations $lastn may look through. Default DefaultLastN.
	LastN int
	// Inline is how many bytes an Attachment of a record may have and stay where it
	// is; what is longer becomes a Binary. Default DefaultInline.
	Inline int64
	// Attached is how many bytes the Binaries of one Bundle may have together and come
	// with their content. Default DefaultAttached.
	Attached int64
}

// Defaults of Limits.
const (
	DefaultPage       = 50
	DefaultMaxPage    = 1000
	DefaultIncluded   = 2000
	DefaultIterations = 5
	DefaultEntries    = 10_000
	DefaultDeletes    = 100
	DefaultHierarchy  = 1000
	DefaultLastN      = 10_000
	DefaultInline     = 1 << 10
	DefaultAttached   = 4 << 20
)

func (l Limits) withDefaults() Limits {
	set := func(v *int, fallback int) {
		if *v == 0 {
			*v = fallback
		}
	}
	set(&l.Page, DefaultPage)
	set(&l.MaxPage, DefaultMaxPage)
	set(&l.Included, DefaultIncluded)
	set(&l.Iterations, DefaultIterations)
	set(&l.History, DefaultPage)
	set(&l.Entries, DefaultEntries)
	set(&l.Deletes, DefaultDeletes)
	set(&l.Parameters, DefaultParameters)
	set(&l.Expunged, DefaultExpunged)
	set(&l.Hierarchy, DefaultHierarchy)
	set(&l.LastN, DefaultLastN)
	l.Inline = cmp.Or(l.Inline, DefaultInline)
	l.Attached = cmp.Or(l.Attached, DefaultAttached)
	return l
}

// Engine answers FHIR interactions. It is safe for concurrent use and keeps no
// state of its own, but for what it made of definitions.
type Engine struct {
	Config
	now          func() time.Time
	newID        func() string
	leftovers    int // maxLeftovers
	capabilities atomic.Pointer[capabilities]
	library      library
	loading      sync.Mutex // of parameters
	parameters   atomic.Pointer[parameterSet]
	poked        chan struct{}
}

// New returns an engine over c.
func New(c Config) *Engine {
	c.Limit = c.Limit.withDefaults()
	c.Version = cmp.Or(c.Version, "development")
	if len(c.Key) == 0 {
		c.Key = []byte(rand.Text())
	}
	c.Store = sighted{c.Store}
	e := &Engine{Config: c, now: time.Now, leftovers: maxLeftovers, newID: func() string { return strings.ToLower(rand.Text()) }}
	e.parameters.Store(&parameterSet{})
	e.poked = make(chan struct{}, 1)
	return e
}

// InstitutionSystem is the system of the tag that names a resource's owner.
func (e *Engine) InstitutionSystem() string { return e.Base + "/fhir/institution" }

// Alliance is the code and owner of what belongs to no single institution.
const Alliance = store.Alliance
