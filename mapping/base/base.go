// Package base holds the maps and libraries for HL7 v2 and for documents of WS/T 500 that come with the gateway, as data: one
// YAML file each. README.md lists them with their rules and shapes. It owns no code but what embeds the files; what a map means
// is package mapping's.
//
// Those for HL7 v2 follow HL7's own mapping tables (https://build.fhir.org/ig/HL7/v2-to-fhir/). Institutions take maps as they are
// (base: true on a source), extend one (extends: base/adt) or build on a library (include: [base/patient]).
package base

import "embed"

// FS holds the files, for mapping.Options.Base.
//
//go:embed *.yaml
var FS embed.FS
