// Package fhirxml reads and writes the XML form of FHIR R4 resources.
//
// It owns what differs between the two forms: which properties are attributes,
// what repeats, the order of elements, what a primitive and its extensions look
// like, resources inside resources, and the narrative, whose XHTML is kept byte by
// byte. All of that comes from package definitions. What a value may be is left to
// package validate; the grammar of XML is package xmltext.
//
// A tree that is read is the one its JSON would give, with the place of every
// value, so that whatever works on trees works on both forms. The JSON form loses
// nothing that XML carries but comments, processing instructions, white space
// between elements and the hint where a schema is (xsi:schemaLocation). XML cannot carry
// what FHIR R4 does not define: such a tree is not written, and issues name what
// stood in the way.
//
// Specification: https://hl7.org/fhir/R4/xml.html
package fhirxml
