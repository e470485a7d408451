// Package codes turns the codes, units, results, reference ranges and flags of hospital systems into those of FHIR.
//
// It owns code tables (CSV files of an institution, and the national and HL7 tables that come with the gateway in
// tables/), Chinese laboratory units and result values. It does not own which field holds what, nor the resources
// that come out; dates, person numbers, names and phones are packages beside it.
//
// Everything here is immutable after it is made and safe for concurrent use. No error or problem names a value of a record.
//
// Sources: https://hl7.org/fhir/R4/conceptmap.html, https://ucum.org/ucum,
// http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation, HL7 v2 tables with
// https://hl7.org/fhir/uv/v2mappings/.
//
// # The CSV of a table
//
// UTF-8, a header row, one row a code:
//
//	#! title: 检验科性别
//	#! system: http://hl7.org/fhir/administrative-gender
//	#! unmapped: default unknown
//	code,display,target,aliases
//	1,男,male,男性|M
//	2,女,female,女性|F
//
// Columns, in any order; code and target must be there:
//
//	code            what the institution writes
//	display         its name
//	aliases         other spellings of the same code, separated by |
//	target          the standard code; empty only with the equivalence unmatched
//	system          URI of the standard code system; default: the directive of that name
//	target_display  name of the standard code
//	equivalence     a code of http://hl7.org/fhir/concept-map-equivalence; default equivalent
//	preferred       yes marks the code to write when a standard code is translated back
//	status          active or deprecated
//	comment         why; FHIR wants one for narrower and inexact
//
// Lines that begin with #! before the header are directives: title, description, source (URI of the institution's own
// code system), system, version, unmapped (keep, reject, or default CODE). Other lines that begin with # are comments.
package codes
