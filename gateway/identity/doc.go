// Package identity is the alliance's patient index: it decides which person an
// institution's Patient is.
//
// Every Patient belongs to exactly one person. Persons have random ids and no
// data of their own; the link table is the truth, each link names the rule that
// made it, and links that ended are kept. The package decides inside the
// transaction that writes the Patient, through the slice of the store that it
// declares; it writes no resources and answers no questions of clients.
//
// Rules are deterministic. A strong identifier – a resident id whose check digit
// is right, a health card, another member's own number for its patient – joins,
// unless something contradicts: a pair that shares a resident id but neither
// name nor sex is put before a human instead. A newborn registered under its
// mother's number does not share it.
package identity
