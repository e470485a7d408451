// Package fieldtable writes down what an institution's maps do, for people who read no maps: which local field becomes which
// FHIR element, by which code table and under which condition. It is the paper that a hospital and its vendor sign before
// records flow, as Markdown and as a workbook, in Chinese or English.
//
// It owns the choice of what is told and its words. It does not own maps: everything it says is read from mapping.Map.Fields
// and the code tables, so the paper cannot say anything that the maps do not do.
package fieldtable
