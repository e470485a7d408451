// Package markup reads JSON documents into the neutral record tree, and splits
// files of several: an array of documents, one document a line, or one behind the
// other.
//
// An object is a group, an array a list under its property's name, anything else
// a leaf with its literal text: numbers keep their digits. null, "" and blanks are
// empty, a property that is not there is absent. Groups declare no names: what
// stands in a document is all that is known of its form.
//
// Bytes become characters in package charset; the syntax is package fhir's, strict
// and with its limits. The package knows nothing of what a document means.
//
// Specification: https://www.rfc-editor.org/rfc/rfc8259
package markup
