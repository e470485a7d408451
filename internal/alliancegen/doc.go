// Package alliancegen makes the demo alliance: the records that five invented
// institutions send, and a ledger of what is true about the people in them.
//
// It owns the story (people, visits, orders, reports, referrals), the way each
// institution's system writes it down (HL7 v2.4 in GB18030, CSV extracts, vendor
// JSON, Excel workbooks, CDA and vendor XML), and the ledger. It knows nothing of FHIR resources' shape, of maps or of
// the gateway, and imports none of them: what a test expects must come from
// another hand than the code under test. Facts enter the ledger from the story,
// never by reading the records back.
//
// Everything follows from a seed. Seed 1 is committed as testdata/alliance; other
// seeds give other names, numbers, dates, items, code choices and column orders,
// all inside the interface documents (README.md and codes.json, which do not
// depend on the seed), so that the same maps must read them unedited.
//
// All people are invented. Resident numbers carry division codes 99xxxx, which GB/T
// 2260 does not assign, with valid GB 11643 check characters; phone numbers start
// with 12, which no carrier has.
//
//	story ──► city.go      ──► ER7 batches      ┐
//	  │       county.go    ──► nightly CSV sets │
//	  │       lab.go       ──► JSON documents   ├─► Files, in the order of arrival
//	  │       township.go  ──► weekly workbooks │
//	  │       community.go ──► XML documents    ┘
//	  └─────► ledger.go    ──► ledger.json
//
// What came later is told aside, with a stream of chances of its own, so that it
// leaves what was there before as it is.
package alliancegen

//go:generate go run ./cmd -seed 1 -out ../../testdata/alliance
