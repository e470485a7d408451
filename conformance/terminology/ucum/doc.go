// Package ucum reads units of measure and says which can be compared: every
// unit has a canonical form, a product of base units, and a factor to it.
//
// It owns the canonical form. The factors of single units come from the library
// iimos/ucum. It knows no display names and no units outside UCUM.
//
// Specification: https://ucum.org/ucum
package ucum
