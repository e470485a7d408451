// Package datetime reads the dates and times that hospital systems write, and renders them as FHIR date, dateTime,
// instant and time. It reads the ages that forms print, too.
//
// It owns the written forms (HL7 v2 TS/DTM/TM, ISO 8601, SQL, Chinese, Excel serials), precision, zones and placeholders.
// It does not own which field means what, nor clocks.
//
// A value keeps the precision it was written with: 202405 is a month and stays one. Forms whose reading is a matter of
// taste (1/5/2024, 24-05-01) are refused, never guessed, and so are days that no calendar has.
//
// Sources: https://hl7.org/fhir/R4/datatypes.html#primitive, HL7 v2.9 chapter 2A (DTM, TM),
// GB/T 7408 (ISO 8601).
package datetime
