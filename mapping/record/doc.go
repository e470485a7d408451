// Package record holds a hospital's own record in memory, before mapping: one
// neutral tree for HL7 v2 messages, table rows with what is joined to them, JSON
// and XML documents.
//
// A tree has four kinds of node. A Group has named children, each name as often
// as it occurs: a message, a segment group, a joined row, a JSON object. A
// Sequence has children by position, counted from 1: the fields of a segment,
// the components of a field. A List has repetitions. A Leaf has text. A node
// that the record did not split further stands for its own first repetition and
// its own first component, as HL7 v2 has it.
//
// An XML element without attributes and child elements is a Leaf, any other a
// Group: attributes are leaves named "@name", child elements stand under their
// local names, and Text is the element's own character data. Attributes of the
// namespaces xsi and xml keep these prefixes ("@xsi:type"); where an element's
// namespace is not that of its parent, a leaf "@xmlns" says which. Runs of text
// between child elements are leaves "#text"; Narrative gives all text below an
// element in its order.
//
// Every node knows its origin, and tells absent, empty and HL7's "" (delete)
// apart. Readers (packages hl7v2, table, markup) build trees, the mapping engine
// reads them; a finished tree is never changed and may be shared.
package record
