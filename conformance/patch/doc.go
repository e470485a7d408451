// Package patch changes a resource by one of the three kinds of patch that FHIR R4
// names: FHIRPath Patch (a Parameters resource), JSON Patch (RFC 6902) and XML
// Patch (the part of RFC 5261 that FHIR uses).
//
// It owns the three languages, JSON Pointer and the XPath of selectors among them,
// and applies a patch as a whole or not at all: the resource that is given is never
// changed, the one that comes back shares nothing with it. It leaves to its caller
// which resource may be patched by whom, whether the result is valid, and which
// status a failure becomes.
//
// FHIRPath Patch knows the definitions: it puts values where they belong, with
// their type in the name where a choice needs it, and takes an element away when
// its last content goes, because FHIR has no empty elements. JSON Patch works on
// any tree, as its specification says, and leaves empty arrays behind when asked
// to. XML Patch works on the XML form of the resource; the order of its elements
// does not matter, since it is lost in the tree.
//
// Specifications: https://hl7.org/fhir/R4/fhirpatch.html,
// https://www.rfc-editor.org/rfc/rfc6902, https://www.rfc-editor.org/rfc/rfc6901 and
// https://www.rfc-editor.org/rfc/rfc5261
package patch
