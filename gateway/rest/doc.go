// Package rest is FHIR over HTTP: it turns requests into interactions and their
// results into responses, one file per interaction, and decides nothing itself.
// outcome.go is the only writer of OperationOutcome, format.go of everything that is
// answered: JSON or XML, compressed or not. Echo stays in this package
// and in package server.
//
// Specification: https://hl7.org/fhir/R4/http.html
package rest
