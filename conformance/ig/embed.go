package ig

import "embed"

// files are the sources of the guide.
//
//go:embed source
var files embed.FS
