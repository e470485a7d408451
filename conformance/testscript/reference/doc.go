// Package reference is a small FHIR R4 server in memory that does things right, or wrong in a named way.
//
// It owns what a runner of TestScripts needs to be tested: read, vread, create, update, patch, delete, their conditional
// forms, search by the common kinds of parameters with modifiers, chains, includes, order, pages and parts of resources,
// history, batch and transaction, capabilities, $validate and $everything, in JSON and XML; and the faults that can be switched on, each a mistake that real servers make. It is not a product: it keeps
// everything in memory under one lock, knows no users, and is not fast.
//
//	srv := httptest.NewServer(reference.New(reference.SearchTotalWrong))
//	base := srv.URL + reference.Prefix
//
// Specification: https://hl7.org/fhir/R4/http.html, https://hl7.org/fhir/R4/search.html
package reference
