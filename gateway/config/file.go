package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parse reads the file's text into values by key. What is wrong with the file itself comes back as problems; whether a
// value suits its key is the setting's to say.
func parse(file string, text []byte) (map[string]value, Problems) {
	r := &reader{file: file, values: map[string]value{}, seen: map[string]bool{}}
	doc, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey()) // a repeated key gets a message of ours
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) {
			r.problem(at.GetToken(), "", at.GetMessage())
		} else {
			r.problem(nil, "", "is not YAML")
		}
		return nil, r.problems
	}
	for i, d := range doc.Docs {
		switch body := d.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
		default:
			if i > 0 {
				r.problem(start(body), "", "holds a second document, expected one")
				break
			}
			r.read("", body)
		}
	}
	return r.values, r.problems
}

type reader struct {
	file     string
	values   map[string]value
	seen     map[string]bool
	problems Problems
}

func (r *reader) problem(at *token.Token, key, text string) {
	r.problems = append(r.problems, Problem{Origin: r.origin(at), Key: key, Text: text})
}

func (r *reader) origin(at *token.Token) string {
	if at == nil || at.Position == nil {
		return r.file
	}
	return fmt.Sprintf("%s:%d:%d", r.file, at.Position.Line, at.Position.Column)
}

// read takes the node that stands under the key.
func (r *reader) read(key string, node ast.Node) {
	if m, ok := node.(ast.MapNode); ok {
		if key != "" && !isSection(key) {
			r.problem(start(node), key, "holds further keys, expected a value")
			return
		}
		for i := m.MapRange(); i.Next(); {
			r.readEntry(key, i.KeyValue())
		}
		return
	}
	switch {
	case key == "":
		r.problem(node.GetToken(), "", "is not a list of keys and values, expected one such as listen: 127.0.0.1:8080")
	case isSection(key):
		r.problem(node.GetToken(), key, "is a value, expected keys: "+strings.Join(keysIn(key), ", "))
	default:
		text, err := scalar(node)
		if err != nil {
			r.problem(node.GetToken(), key, err.Error())
			return
		}
		r.values[key] = value{text: text, origin: r.origin(node.GetToken()), dir: filepath.Dir(r.file)}
	}
}

func (r *reader) readEntry(section string, entry *ast.MappingValueNode) {
	name := entry.Key.GetToken()
	key := name.Value
	if section != "" {
		key = section + "." + key
	}
	if strings.Contains(name.Value, ".") || !isSection(key) && !isKey(key) {
		r.problem(name, key, "is not a key, expected one of "+strings.Join(keysIn(section), ", "))
		return
	}
	if r.seen[key] {
		r.problem(name, key, "is given twice")
		return
	}
	r.seen[key] = true
	if _, null := entry.Value.(*ast.NullNode); null {
		r.problem(name, key, errEmpty.Error())
		return
	}
	r.read(key, entry.Value)
}

// start returns where a node begins; a mapping's own token is the colon of its first entry.
func start(node ast.Node) *token.Token {
	if m, ok := node.(ast.MapNode); ok {
		if i := m.MapRange(); i.Next() {
			return i.KeyValue().Key.GetToken()
		}
	}
	return node.GetToken()
}

func scalar(node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		if text := n.GetToken().Value; text != "" {
			return text, nil
		}
		return "", errEmpty
	case *ast.NullNode:
		return "", errEmpty
	case *ast.SequenceNode:
		return "", errors.New("is a list, expected a value")
	case *ast.LiteralNode:
		return "", errors.New("is a block of lines, expected a value on one line")
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return "", errors.New("uses an anchor, alias or tag, expected a plain value")
	}
	return "", errors.New("is not a plain value")
}

func isKey(key string) bool {
	for _, s := range settings {
		if s.key == key {
			return true
		}
	}
	return false
}

func isSection(key string) bool { return len(keysIn(key)) > 0 }

// keysIn lists what may stand in a section, in order; the file itself is the section "".
func keysIn(section string) []string {
	var names []string
	for _, s := range settings {
		rest, ok := s.key, true
		if section != "" {
			rest, ok = strings.CutPrefix(s.key, section+".")
		}
		name, _, _ := strings.Cut(rest, ".")
		if ok && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	return names
}
