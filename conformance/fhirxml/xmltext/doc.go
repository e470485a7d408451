// Package xmltext reads the text of an XML document as tokens, strictly and
// safely, and says of each where it stands.
//
// It owns the grammar of XML 1.0 with namespaces, the two encodings every XML
// reader knows (UTF-8 and UTF-16), character references, the normal form of line
// ends and attribute values, and the limits on depth, attributes and namespaces.
// A document type declaration is refused whatever it says, so that there are no
// entities but XML's own five, and nothing is ever fetched. It knows nothing of
// FHIR.
//
// Specifications: https://www.w3.org/TR/xml/ and https://www.w3.org/TR/xml-names/
package xmltext
