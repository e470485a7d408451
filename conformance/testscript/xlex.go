package testscript

import (
	"fmt"
	"strings"
)

type xtokenKind uint8

const (
	tokEnd xtokenKind = iota
	tokName
	tokString
	tokNumber
	tokSymbol
)

type xtoken struct {
	kind xtokenKind
	text string
	at   int
}

// xlex splits an XPath into tokens. Two ends follow the last, so that a parser may look one ahead.
func xlex(text string) ([]xtoken, error) {
	var out []xtoken
	for i := 0; i < len(text); {
		c := text[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '\'' || c == '"':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("the path has a text without end at character %d", i+1)
			}
			out = append(out, xtoken{tokString, text[i+1 : i+1+end], start})
			i += end + 2
		case isDigitByte(c):
			for i < len(text) && (isDigitByte(text[i]) || text[i] == '.') {
				i++
			}
			out = append(out, xtoken{tokNumber, text[start:i], start})
		case isNameByte(c):
			for i < len(text) && (isNameByte(text[i]) || isDigitByte(text[i]) || text[i] == '-' || text[i] == '.' || text[i] == ':') {
				i++
			}
			out = append(out, xtoken{tokName, text[start:i], start})
		default:
			symbol := text[i : i+1]
			if i+1 < len(text) {
				switch two := text[i : i+2]; two {
				case "//", "..", "!=", "<=", ">=":
					symbol = two
				}
			}
			if !strings.Contains("/ // . .. @ * [ ] ( ) , = != < <= > >=", symbol) || symbol == " " {
				return nil, fmt.Errorf("the path is not understood at character %d", i+1)
			}
			out = append(out, xtoken{tokSymbol, symbol, start})
			i += len(symbol)
		}
	}
	end := xtoken{kind: tokEnd, at: len(text)}
	return append(out, end, end, end), nil
}

func isDigitByte(c byte) bool { return c >= '0' && c <= '9' }

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
