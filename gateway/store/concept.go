package store

import (
	"context"
	"iter"
	"time"

	"github.com/yilian/yilian/gateway/fault"
)

// CodeSystem is one import of one version of a code system.
type CodeSystem struct {
	ID       int64 // of the import: whoever imports the version again gets another
	URL      string
	Version  string
	About    []byte // what else there is to say of it; the store only keeps it
	Concepts int64
	Imported time.Time
}

// Concept is one code of an imported code system.
type Concept struct {
	Position int64  // in its code system, from 0 without a gap
	Key      string // what it is found by, one of a kind
	Code     string
	Display  string
	Parent   string // code of the first parent, "" at the top
	Flags    uint8
	Details  []byte // what else there is to say of it; the store only keeps it

	// Above and Text go in and do not come out.
	Above []int64 // positions of all parents
	Text  string  // where words are looked for
}

// Bounds of what is imported.
const (
	MaxConcepts = 1 << 24 // of one code system
	MaxConcept  = 1 << 20 // bytes of one concept
)

// Size is how many bytes the texts of a concept have.
func (c *Concept) Size() int {
	return len(c.Key) + len(c.Code) + len(c.Display) + len(c.Parent) + len(c.Details) + len(c.Text) + 8*len(c.Above)
}

// ErrCodeSystem says that an import is not there any more: another one took its place,
// and CodeSystems tells which.
var ErrCodeSystem = fault.New(fault.Unavailable, "the code system was imported anew meanwhile")

// ConceptImporter takes code systems in.
type ConceptImporter interface {
	// ImportConcepts keeps a version of a code system, in the place of the one with the
	// same URL and Version if there is one. Concepts are numbered as they come. Nobody sees any of it
	// before all is there; an error, of concepts too, leaves what was. It returns about
	// with ID, Concepts and Imported, which are the store's. Concepts are written in
	// many transactions; it must not be called inside Update. Faults: Invalid for a key
	// that comes twice and for no URL, TooCostly over MaxConcepts and MaxConcept, Conflict when
	// somebody else imports the same version meanwhile.
	ImportConcepts(ctx context.Context, about CodeSystem, concepts iter.Seq2[Concept, error]) (CodeSystem, error)
}

// ConceptReader gives back what was imported. All but CodeSystems fail with
// ErrCodeSystem for an import that is not whole, or not any more.
type ConceptReader interface {
	// CodeSystems returns what is imported, by URL and version.
	CodeSystems(ctx context.Context) ([]CodeSystem, error)
	// Concepts returns those of the keys that are there, by position.
	Concepts(ctx context.Context, system int64, keys ...string) ([]Concept, error)
	// ConceptsAt returns the concepts at positions, by position.
	ConceptsAt(ctx context.Context, system int64, positions []int64) ([]Concept, error)
	// ConceptPage returns concepts by position beginning with the one at from, at most limit.
	ConceptPage(ctx context.Context, system, from int64, limit int) ([]Concept, error)
}

// ConceptFinder finds positions, in no order and each once. found is called while a
// connection is held: it must be quick, and must not ask the store. Faults as of
// ConceptReader.
type ConceptFinder interface {
	// ConceptsWith finds the concepts whose Text has all words, anywhere.
	ConceptsWith(ctx context.Context, system int64, words []string, found func(position int64)) error
	// ConceptsBelow finds a concept and all that lie below it, at any depth.
	ConceptsBelow(ctx context.Context, system, position int64, found func(position int64)) error
	// ConceptsAbove finds a concept and all that it lies below.
	ConceptsAbove(ctx context.Context, system, position int64, found func(position int64)) error
	// ConceptChildren returns the codes of those just below a concept, by position.
	ConceptChildren(ctx context.Context, system, position int64) ([]string, error)
}

// Concepts keeps code systems that are too large to be a resource.
type Concepts interface {
	ConceptImporter
	ConceptReader
	ConceptFinder
}
