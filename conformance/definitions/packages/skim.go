package packages

import (
	"bytes"
	"encoding/json"
)

// heading is what a definition says of itself at its top.
type heading struct{ kind, url, version string }

// skim reads the heading of a resource without building anything of the rest. What is no JSON gives what was found so
// far; it is parsed in full before it is used.
func skim(text []byte) heading {
	var h heading
	depth, i := 0, 0
	key := ""
	value := false // a value follows
	for i < len(text) {
		switch c := text[i]; c {
		case '{', '[':
			depth++
			value = false
		case '}', ']':
			depth--
			value = false
		case ',':
			value = false
		case ':':
			value = true
		case '"':
			end := closing(text, i+1)
			if end < 0 {
				return h
			}
			if depth == 1 {
				if value {
					h.set(key, text[i:end+1])
				} else {
					key = unquoted(text[i : end+1])
				}
			}
			i = end
		}
		i++
	}
	return h
}

// unquoted is a key, "" for one that is longer than those that are looked for can be written.
func unquoted(quoted []byte) string {
	const longest = len("resourceType")*len(`\u0000`) + 2
	if len(quoted) > longest {
		return ""
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var key string
	if json.Unmarshal(quoted, &key) != nil {
		return ""
	}
	return key
}

// closing finds the quote that ends a string.
func closing(text []byte, from int) int {
	for i := from; ; {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := 0
		for j := i - 1; j >= from && text[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
		i++
	}
}

func (h *heading) set(key string, quoted []byte) {
	var to *string
	switch key {
	case "resourceType":
		to = &h.kind
	case "url":
		to = &h.url
	case "version":
		to = &h.version
	default:
		return
	}
	if len(quoted) > maxURL || *to != "" {
		return
	}
	if json.Unmarshal(quoted, to) != nil {
		*to = ""
	}
}

// maxURL bounds what can be a URL, a version or a type.
const maxURL = 2048
