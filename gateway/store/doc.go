// Package store is the contract of what keeps resources, the inbox, the raw
// archive and identity. It holds values and the interfaces that every adapter
// (packages sqlite, postgres) fulfils in one struct; package storetest is the
// suite that each must pass. Callers declare the slice of it that they use.
//
// A store knows rows, order and durability. It knows no FHIR: bodies are bytes,
// index values come ready made from package search, and who may see what comes
// in as search.Allowed with every question.
//
// # Durability
//
// What a method has returned without error survives the death of the process and
// of the machine's power. Transactions are all or nothing.
//
// # Order
//
// Every write gets a Change, a number that grows in the order of commits: a reader
// of Changes that continues behind the last one it saw never misses one. Numbers
// of versions are gapless per resource.
package store
