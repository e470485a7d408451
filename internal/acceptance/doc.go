// Package acceptance holds whole servers, on each store, to what a client of them sees:
// published sets are imported as transactions and searched, official examples are written
// and read in JSON and XML, and bad requests are refused with a reason. All of it goes
// over HTTP; what searches must find is worked out by package scan.
package acceptance
