// Package codesystem answers what the codes of large code systems mean that were
// imported into the store: ICD-10 with its tens of thousands of codes, a table of LOINC.
//
// It owns the import (Import: a table, or any code system that is read already), the
// code systems over store.Concepts (System, a terminology.CodeSystem that answers as
// terminology.Memory does), and which of them there are (Library). It does not own what
// terminology operations make of them (package terminology), or the tables (the
// adapters of package store).
//
// Memory: an import holds the codes and which lies below which, at about 30 bytes a
// code and its length, and reads its source twice; an answer holds one bit for each
// code, and a page of concepts.
package codesystem
