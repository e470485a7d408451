// Package markup reads JSON and XML documents into the neutral record tree, and
// splits files of several JSON documents: an array of documents, one document a
// line, or one behind the other.
//
// In JSON an object is a group, an array a list under its property's name, anything else
// a leaf with its literal text: numbers keep their digits. null, "" and blanks are
// empty, a property that is not there is absent. Groups declare no names: what
// stands in a document is all that is known of its form.
//
// Of XML, package record says how elements stand in the tree. Siblings of one name
// are a list where the first of them stands; runs of text between child elements
// are leaves "#text". A document type declaration is refused whatever it says, and
// with it every entity but XML's own five; so nothing is expanded and nothing is
// fetched. A document in a SOAP envelope – the first element of its body, or the
// longest text in it that is a document – is the record, with the envelope under
// "@envelope" of its root.
//
// Bytes become characters in package charset; the syntax of JSON is package fhir's,
// that of XML the standard library's, strict and with limits. The package knows
// nothing of what a document means.
//
// Specifications: https://www.rfc-editor.org/rfc/rfc8259,
// https://www.w3.org/TR/xml, https://www.w3.org/TR/xml-names,
// https://www.w3.org/TR/soap12-part1
package markup
