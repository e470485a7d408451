package packages

import (
	"errors"
	"fmt"
)

// Limits bound what is read of packages. Zero values mean the defaults.
type Limits struct {
	Archive  int64 // bytes of an archive as it comes
	Unpacked int64 // bytes of all that an archive unpacks to
	Ratio    int64 // unpacked bytes for each byte of an archive, once RatioFrom of them are unpacked
	Entries  int   // files and folders of an archive, files of a folder
	File     int   // bytes of one file; larger ones are left out, and a finding says so
	Nodes    int   // values in one definition
	Kept     int64 // bytes of definitions that an archive keeps in memory, compressed
	Parsed   int   // bytes of JSON whose trees a package keeps
	Packages int   // packages of a Set
}

// The default limits. A definition of File bytes or Nodes values takes less than 100 MB while it is read.
const (
	DefaultArchive  = 64 << 20
	DefaultUnpacked = 320 << 20
	DefaultRatio    = 50
	DefaultEntries  = 50_000
	DefaultFile     = 16 << 20
	DefaultNodes    = 800_000
	DefaultKept     = 64 << 20
	DefaultPackages = 100

	// RatioFrom is how much may be unpacked before the ratio counts: small files pack well.
	RatioFrom = 16 << 20
	// maxManifest bounds package.json and .index.json.
	maxManifest = 8 << 20
	// maxManifestNodes bounds the values in package.json.
	maxManifestNodes = 20_000
)

func (l Limits) withDefaults() Limits {
	defaulted(&l.Archive, DefaultArchive)
	defaulted(&l.Unpacked, DefaultUnpacked)
	defaulted(&l.Ratio, DefaultRatio)
	defaulted(&l.Entries, DefaultEntries)
	defaulted(&l.File, DefaultFile)
	defaulted(&l.Nodes, DefaultNodes)
	defaulted(&l.Kept, DefaultKept)
	defaulted(&l.Parsed, DefaultParsed)
	defaulted(&l.Packages, DefaultPackages)
	return l
}

func defaulted[T int | int64](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

// ErrLimit is what errors about limits wrap.
var ErrLimit = errors.New("over a limit")

// LimitError says which limit a package is over.
type LimitError struct {
	Limit string // name of the field of Limits
	Value int64
	File  string // where, "" for the whole
}

func (e *LimitError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("%s is over the limit %s of %d", e.File, e.Limit, e.Value)
	}
	return fmt.Sprintf("the package is over the limit %s of %d", e.Limit, e.Value)
}

func (e *LimitError) Unwrap() error { return ErrLimit }
