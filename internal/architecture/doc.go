// Package architecture holds the order of knowledge between our own packages: lower never imports higher.
//
//	cmd
//	gateway      server · rest · source · ingest · interaction · identity · store · search · fault
//	mapping      engine · readers and values · record
//	conformance  testscript · validate · fhirpath · definitions · fhir
//
// The layers and the exceptions are the tables in order.go; the test beside it asks the go command what is imported. A new
// package outside the known folders needs a place in the table before it may be committed. Borders to modules of others
// are held by depguard, in .golangci.yml.
package architecture
