package testscript

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// jsonpath evaluates a JSONPath as it is read: members, positions (from the end too), slices, unions of positions or
// names, wildcards, descendants, and filters that compare a path under @ with a literal or ask whether it is there.
type jsonpath struct {
	text  string
	at    int
	steps int
}

func evaluateJSONPath(text string, n *fhir.Node) ([]string, error) {
	p := &jsonpath{text: text, at: 1}
	nodes, err := p.run([]*fhir.Node{n}, 0)
	if err != nil {
		return nil, err
	}
	if p.at != len(p.text) {
		return nil, p.fail()
	}
	out := make([]string, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, jsonText(n))
	}
	return out, nil
}

// jsonText is a primitive's value, or the JSON of anything else.
func jsonText(n *fhir.Node) string {
	switch n.Kind() {
	case fhir.Object, fhir.Array:
		return string(n.AppendJSON(nil))
	}
	return n.Text()
}

func (p *jsonpath) fail() error {
	return fmt.Errorf("the path is not understood at character %d", p.at+1)
}

func (p *jsonpath) cost(n int) error {
	if p.steps += n; p.steps > maxPathSteps {
		return errPathCost
	}
	return nil
}

func (p *jsonpath) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *jsonpath) space() {
	for p.peek() == ' ' {
		p.at++
	}
}

// run follows segments until something else than a segment stands there.
func (p *jsonpath) run(nodes []*fhir.Node, depth int) ([]*fhir.Node, error) {
	if depth > maxPathDepth {
		return nil, fmt.Errorf("the path nests deeper than %d", maxPathDepth)
	}
	for {
		var err error
		switch {
		case strings.HasPrefix(p.text[p.at:], ".."):
			p.at += 2
			if nodes, err = p.descendants(nodes); err != nil {
				return nil, err
			}
			if p.peek() != '[' {
				nodes, err = p.member(nodes)
			} else {
				nodes, err = p.bracket(nodes, depth)
			}
		case p.peek() == '.':
			p.at++
			nodes, err = p.member(nodes)
		case p.peek() == '[':
			nodes, err = p.bracket(nodes, depth)
		default:
			return nodes, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *jsonpath) descendants(nodes []*fhir.Node) ([]*fhir.Node, error) {
	var out []*fhir.Node
	seen := map[*fhir.Node]bool{}
	var down func(n *fhir.Node) error
	down = func(n *fhir.Node) error {
		if seen[n] {
			return nil
		}
		seen[n] = true
		if err := p.cost(1); err != nil {
			return err
		}
		out = append(out, n)
		for _, c := range n.All() {
			if err := down(c); err != nil {
				return err
			}
		}
		return nil
	}
	for _, n := range nodes {
		if err := down(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *jsonpath) member(nodes []*fhir.Node) ([]*fhir.Node, error) {
	if p.peek() == '*' {
		p.at++
		return p.children(nodes)
	}
	start := p.at
	for p.at < len(p.text) && (isNameByte(p.text[p.at]) || isDigitByte(p.text[p.at]) || p.text[p.at] == '-') {
		p.at++
	}
	if p.at == start {
		return nil, p.fail()
	}
	return p.named(nodes, p.text[start:p.at])
}

func (p *jsonpath) named(nodes []*fhir.Node, name string) ([]*fhir.Node, error) {
	var out []*fhir.Node
	for _, n := range nodes {
		if err := p.cost(1); err != nil {
			return nil, err
		}
		if c := n.Get(name); c != nil {
			out = append(out, c)
		}
	}
	return out, nil
}

func (p *jsonpath) children(nodes []*fhir.Node) ([]*fhir.Node, error) {
	var out []*fhir.Node
	for _, n := range nodes {
		if err := p.cost(1 + n.Len()); err != nil {
			return nil, err
		}
		for _, c := range n.All() {
			out = append(out, c)
		}
	}
	return out, nil
}

func (p *jsonpath) bracket(nodes []*fhir.Node, depth int) ([]*fhir.Node, error) {
	p.at++
	p.space()
	var out []*fhir.Node
	for {
		found, err := p.selector(nodes, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
		p.space()
		switch p.peek() {
		case ',':
			p.at++
			p.space()
		case ']':
			p.at++
			return out, nil
		default:
			return nil, p.fail()
		}
	}
}

func (p *jsonpath) selector(nodes []*fhir.Node, depth int) ([]*fhir.Node, error) {
	switch c := p.peek(); {
	case c == '*':
		p.at++
		return p.children(nodes)
	case c == '\'' || c == '"':
		name, err := p.quoted()
		if err != nil {
			return nil, err
		}
		return p.named(nodes, name)
	case c == '?':
		p.at++
		return p.filter(nodes, depth)
	}
	return p.positions(nodes)
}

func (p *jsonpath) quoted() (string, error) {
	quote := p.text[p.at]
	end := strings.IndexByte(p.text[p.at+1:], quote)
	if end < 0 {
		return "", p.fail()
	}
	s := p.text[p.at+1 : p.at+1+end]
	p.at += end + 2
	return s, nil
}

// positions reads a position or a slice start:end.
func (p *jsonpath) positions(nodes []*fhir.Node) ([]*fhir.Node, error) {
	from, hasFrom := p.integer()
	slice := p.peek() == ':'
	var to int
	hasTo := false
	if slice {
		p.at++
		to, hasTo = p.integer()
	}
	if !hasFrom && !slice {
		return nil, p.fail()
	}
	var out []*fhir.Node
	for _, n := range nodes {
		if err := p.cost(1 + n.Len()); err != nil {
			return nil, err
		}
		if n.Kind() != fhir.Array {
			continue
		}
		first, last := fromEnd(from, n.Len()), fromEnd(from, n.Len())+1
		if slice {
			if last = n.Len(); hasTo {
				last = fromEnd(to, n.Len())
			}
		} else if first < 0 {
			continue
		}
		for i := max(first, 0); i < min(last, n.Len()); i++ {
			out = append(out, n.At(i))
		}
	}
	return out, nil
}

func fromEnd(i, length int) int {
	if i < 0 {
		return length + i
	}
	return i
}

func (p *jsonpath) integer() (int, bool) {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	for isDigitByte(p.peek()) {
		p.at++
	}
	i, err := strconv.Atoi(p.text[start:p.at])
	if err != nil || i > 1<<30 || i < -1<<30 {
		p.at = start
		return 0, false
	}
	return i, true
}

// filter keeps the children for which @… holds.
func (p *jsonpath) filter(nodes []*fhir.Node, depth int) ([]*fhir.Node, error) {
	p.space()
	brackets := p.peek() == '('
	if brackets {
		p.at++
	}
	candidates, err := p.children(nodes)
	if err != nil {
		return nil, err
	}
	start := p.at
	// one run without a node reads the filter, even if nothing is to be filtered
	if _, err := p.holds(nil, depth); err != nil {
		return nil, err
	}
	end := p.at
	var out []*fhir.Node
	for _, c := range candidates {
		p.at = start
		ok, err := p.holds(c, depth)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, c)
		}
	}
	p.at = end
	if brackets {
		p.space()
		if p.peek() != ')' {
			return nil, p.fail()
		}
		p.at++
	}
	return out, nil
}

func (p *jsonpath) holds(n *fhir.Node, depth int) (bool, error) {
	truth := false
	for either := true; either; {
		all := true
		for both := true; both; {
			ok, err := p.comparison(n, depth)
			if err != nil {
				return false, err
			}
			all = all && ok
			p.space()
			if both = strings.HasPrefix(p.text[p.at:], "&&"); both {
				p.at += 2
			}
		}
		truth = truth || all
		if either = strings.HasPrefix(p.text[p.at:], "||"); either {
			p.at += 2
		}
	}
	return truth, nil
}

func (p *jsonpath) comparison(n *fhir.Node, depth int) (bool, error) {
	p.space()
	negated := p.peek() == '!'
	if negated {
		p.at++
		p.space()
	}
	if p.peek() != '@' {
		return false, p.fail()
	}
	p.at++
	var from []*fhir.Node
	if n != nil {
		from = []*fhir.Node{n}
	}
	found, err := p.run(from, depth+1)
	if err != nil {
		return false, err
	}
	p.space()
	op := ""
	for _, o := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if strings.HasPrefix(p.text[p.at:], o) {
			op = o
			break
		}
	}
	if op == "" {
		return (len(found) > 0) != negated, nil
	}
	p.at += len(op)
	p.space()
	literal, isText, err := p.literal()
	if err != nil {
		return false, err
	}
	for _, f := range found {
		if jsonHolds(op, jsonText(f), literal, isText || f.Kind() != fhir.Number) {
			return !negated, nil
		}
	}
	return negated, nil
}

func (p *jsonpath) literal() (text string, isText bool, err error) {
	if c := p.peek(); c == '\'' || c == '"' {
		text, err = p.quoted()
		return text, true, err
	}
	start := p.at
	for c := p.peek(); isNameByte(c) || isDigitByte(c) || c == '-' || c == '+' || c == '.'; c = p.peek() {
		p.at++
	}
	if p.at == start {
		return "", false, p.fail()
	}
	return p.text[start:p.at], false, nil
}

func jsonHolds(op, a, b string, isText bool) bool {
	order := strings.Compare(a, b)
	if !isText {
		if o, ok := compareNumbers(a, b); ok {
			order = o
		}
	}
	switch op {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}
