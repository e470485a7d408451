package rest

import "bytes"

// indented puts every element of the XML of a resource on a line of its own. White
// space within a narrative is its own and stays as it is.
func indented(text []byte) []byte {
	out := make([]byte, 0, len(text)*2)
	level, narrative := 0, 0
	for len(text) > 0 {
		end := tagEnd(text)
		tag := text[:end]
		closing, empty := bytes.HasPrefix(tag, []byte("</")), bytes.HasSuffix(tag, []byte("/>"))
		if closing {
			level--
		}
		if narrative == 0 && tag[0] == '<' && len(out) > 0 {
			out = append(out, '\n')
			for range level {
				out = append(out, ' ', ' ')
			}
		}
		out = append(out, tag...)
		text = text[end:]
		if tag[0] != '<' || tag[1] == '!' || tag[1] == '?' {
			continue
		}
		if !closing && !empty {
			level++
		}
		switch {
		case narrative > 0 && closing:
			narrative--
		case narrative > 0 && !empty, bytes.HasPrefix(tag, []byte("<div")) && !closing && !empty:
			narrative++
		}
	}
	return append(out, '\n')
}

// tagEnd is where a tag, or the text before one, ends. A > in an attribute ends none,
// nor does one in a comment.
func tagEnd(text []byte) int {
	if text[0] != '<' {
		if i := bytes.IndexByte(text, '<'); i >= 0 {
			return i
		}
		return len(text)
	}
	for opening, ending := range map[string]string{"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"} {
		if bytes.HasPrefix(text, []byte(opening)) {
			if i := bytes.Index(text, []byte(ending)); i >= 0 {
				return i + len(ending)
			}
			return len(text)
		}
	}
	var quote byte
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(text)
}
