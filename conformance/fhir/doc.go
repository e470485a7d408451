// Package fhir holds a FHIR resource in memory as it was written: a tree of
// JSON values that keeps property order, the literal text of numbers, primitive
// extensions, contained resources and elements it has never heard of.
//
// It owns the tree, its JSON codec (Parse, AppendJSON), content equality and
// the Issue value in which findings about data travel, as an OperationOutcome too. It knows no element
// names beyond "resourceType", "id" and "meta", imports nothing of this module,
// and leaves what an element may hold to packages definitions and validate.
//
// Reading a tree is safe for any number of goroutines; changing it is not.
//
// Specification: https://hl7.org/fhir/R4/json.html
package fhir
