package packages

import (
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
)

// Core finds the definitions of FHIR itself as trees. What was parsed is kept while there is room.
type Core struct {
	defs   *definitions.Definitions
	parsed shelf
}

// R4 is the core of FHIR R4 4.0.1, shared by all who ask.
var R4 = sync.OnceValue(func() *Core { return NewCore(definitions.R4(), 0) })

// NewCore returns the core of these definitions, which keeps trees parsed of that many bytes of JSON; 0 means
// DefaultParsed.
func NewCore(defs *definitions.Definitions, parsed int) *Core {
	return &Core{defs: defs, parsed: newShelf(parsed)}
}

// Resolve finds a definition by resource type and canonical URL. A version after | must be that of the core.
func (c *Core) Resolve(kind, url string) (*fhir.Node, bool) {
	return c.parsed.get(kind+" "+url, Limits{}, func() ([]byte, bool) {
		text := c.defs.Source(kind, url)
		return text, text != nil
	}, func(n *fhir.Node) bool {
		return matches(n, url)
	})
}

// Definitions are the definitions behind the trees.
func (c *Core) Definitions() *definitions.Definitions { return c.defs }
