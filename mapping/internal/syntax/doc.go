// Package syntax reads a YAML file into a small tree in which every value knows its file, line and column.
//
// It owns positions, and the refusal of what a map has no use for: anchors, aliases, tags, merge keys, several
// documents, duplicate keys, keys that are not text. Scalars keep the text they were written with: .1, 007 and 1.50
// are not rounded through a number. It knows nothing of maps.
//
// https://yaml.org/spec/1.2.2/
package syntax
