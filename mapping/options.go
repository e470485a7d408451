package mapping

import (
	"io/fs"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
)

// DefaultAlliance is the base of every local system, canonical URL and source where none is configured.
const DefaultAlliance = "https://yilian.dev"

// Options are what a folder is loaded with. The zero Options have no built-in maps.
type Options struct {
	Base        fs.FS                    // built-in maps and libraries: *.yaml, named base/NAME by others
	Definitions *definitions.Definitions // nil: FHIR R4
	Alliance    string                   // base of local systems; default DefaultAlliance
	Zone        *time.Location           // of institutions that name none; nil: Asia/Shanghai
	Limits      Limits
	// Lazy puts off compiling built-in maps until their first record comes. They are tested where they are made; what a
	// folder itself says is always checked at once.
	Lazy bool
}

// RunOptions are what a record is mapped with.
type RunOptions struct {
	Salt     []byte    // the institution's secret, from which ids are made
	Received time.Time // when the record came in; the stamp of a record without a time of its own
	Trace    bool
	Coverage bool
}
