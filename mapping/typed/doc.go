// Package typed shows a resource tree as the structs of samply/golang-fhir-models, for code and tests that read a few
// well-known elements and like field names better than paths.
//
// It is a view and a lossy one: contained resources, extensions of primitives and elements the structs do not know are gone,
// a missing mandatory code reads as its first value, an unknown code is refused. What was read here is never written back:
// the tree is the truth.
//
// https://github.com/samply/golang-fhir-models
package typed
