// Package mapping turns a hospital's record into FHIR resources by the maps of its institution: a folder of YAML and
// CSV files whose grammar is README.md.
//
// It owns the loading and checking of that folder, the compiled maps, what a run makes of a record (resources, issues,
// trace, coverage), the business identity of resources, and how a resource made from a record is laid over a stored
// one. It does not own what a record is (package record and the readers hl7v2, table, markup), what a value means
// (packages codes, datetime, residentid, personname …), what HL7 v2 maps say (data in package base), or anything that
// stores, receives or sends.
//
//	inst, err := mapping.Load(os.DirFS(dir), mapping.Options{Base: base.FS})
//	result, err := inst.Map(rec, mapping.RunOptions{Salt: salt})
//
// Loading is pure: a folder with mistakes gives an *Error that lists them all with file, line and column, and changes
// nothing. An Institution is immutable and safe for any number of goroutines.
//
// Specifications: https://hl7.org/fhir/R4/, https://build.fhir.org/ig/HL7/v2-to-fhir/
package mapping
