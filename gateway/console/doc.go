// Package console is the operator's side of the gateway over HTTP: what came in,
// what was put aside and why, running it again, reloading the institutions' folders,
// and their versions in the store: pushing one, listing them, switching between them.
// It answers JSON below /console; the command line speaks it.
//
// An institution's client sees its own records and pushes its own folder, a client of
// the whole alliance all. Bytes of a record are shown only when they are asked for.
package console
