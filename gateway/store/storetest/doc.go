// Package storetest is the suite that every adapter of package store must pass. It
// speaks through the contract alone, so a rule that is not here is not promised.
//
// Search is judged twice: by tables with hand-written rows and wanted ids, and by
// comparing random queries on random values with a plain evaluator (model.go) that
// is written from https://hl7.org/fhir/R4/search.html and the comments of package
// search, and knows no SQL.
package storetest
