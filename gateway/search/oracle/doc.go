// Package oracle answers query trees by looking at every value of every resource.
// It is what tests hold stores and the search package to: slow, plain, and written
// from the comments of the query's types and
// https://hl7.org/fhir/R4/search.html#prefix, without an index or SQL.
package oracle
