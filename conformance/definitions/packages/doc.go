// Package packages finds definitions: those of FHIR itself, and those of FHIR packages on this machine.
//
// A package is an npm-style archive (.tgz) with a folder "package": its manifest package.json, definitions as JSON
// files, perhaps an index of them. A cache is a folder of unpacked packages, by convention ~/.fhir/packages with one
// folder name#version each. A Set is some packages with all that they depend on, and the core of FHIR last; it resolves
// canonical URLs, with |version or without.
//
// Nothing is fetched over a network. Archives are hostile until read: every limit has a name, and what is over one is
// refused by an error that says which. Definitions are parsed when they are first asked for; what was parsed is kept
// while there is room.
//
// Everything here is safe for concurrent use once made; trees that are returned are only read.
//
// https://confluence.hl7.org/display/FHIR/NPM+Package+Specification describes packages,
// https://hl7.org/fhir/R4/references.html#canonical canonical URLs.
package packages
