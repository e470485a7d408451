package ucum

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/iimos/ucum"
)

// MaxLength bounds the text of a unit, MaxExponent its exponents. Longer ones
// are no units that anybody measures in.
const (
	MaxLength   = 64
	MaxExponent = 20
)

// maxCached bounds how many units are remembered; instances can name any.
const maxCached = 4096

// Unit is a unit that can be converted to its canonical form. It is immutable.
type Unit struct {
	canonical string
	factor    *big.Rat
	float     float64
	offset    *big.Rat // added after the factor, for temperatures
}

var cache struct {
	sync.RWMutex
	units map[string]*Unit
}

// Parse returns the unit with that code, which is case sensitive. It is not ok
// for what is not UCUM, and for logarithmic units, which cannot be converted by
// a factor.
func Parse(code string) (unit *Unit, ok bool) {
	if len(code) > MaxLength {
		return nil, false
	}
	cache.RLock()
	u, known := cache.units[code]
	cache.RUnlock()
	if known {
		return u, u != nil
	}
	u = parse(code)
	cache.Lock()
	defer cache.Unlock()
	if cache.units == nil || len(cache.units) >= maxCached {
		cache.units = map[string]*Unit{}
	}
	cache.units[strings.Clone(code)] = u
	return u, u != nil
}

// Canonical returns the product of base units that u measures in, such as
// "g.m-3"; "1" for a pure number. Units with the same one can be compared.
func (u *Unit) Canonical() string { return u.canonical }

// Rat converts a value in u to the canonical unit, exactly.
func (u *Unit) Rat(value *big.Rat) *big.Rat {
	out := new(big.Rat).Mul(value, u.factor)
	if u.offset != nil {
		out.Add(out, u.offset)
	}
	return out
}

// Float converts a value in u to the canonical unit.
func (u *Unit) Float(value float64) float64 {
	value *= u.float
	if u.offset != nil {
		offset, _ := u.offset.Float64()
		value += offset
	}
	return value
}

// Linear reports whether u is a multiple of its canonical unit, so that it can
// be multiplied and divided.
func (u *Unit) Linear() bool { return u.offset == nil }

// Multiply returns the canonical unit of a product; Divide that of a quotient.
func Multiply(a, b string) (string, bool) { return combine(a, b, 1) }

// Divide returns the canonical unit of a quotient of canonical units.
func Divide(a, b string) (string, bool) { return combine(a, b, -1) }

func combine(a, b string, sign int) (string, bool) {
	x, okX := parseTerm(a)
	y, okY := parseTerm(b)
	if !okX || !okY {
		return "", false
	}
	x.multiply(y, sign)
	return x.String(), true
}

// temperatures are the special units that a factor and an offset convert.
var temperatures = map[string][2]*big.Rat{
	"Cel":     {big.NewRat(1, 1), big.NewRat(27315, 100)},
	"[degF]":  {big.NewRat(5, 9), big.NewRat(45967*5, 900)},
	"[degRe]": {big.NewRat(5, 4), big.NewRat(27315, 100)},
}

func parse(code string) *Unit {
	if t, ok := temperatures[code]; ok {
		f, _ := t[0].Float64()
		return &Unit{canonical: "K", factor: t[0], float: f, offset: t[1]}
	}
	t, ok := parseTerm(code)
	if !ok {
		return nil
	}
	for _, power := range t.powers {
		if power > MaxExponent || power < -MaxExponent {
			return nil
		}
	}
	f, _ := t.factor.Float64()
	return &Unit{canonical: t.String(), factor: t.factor, float: f}
}

// term is a product of base units and a factor.
type term struct {
	factor *big.Rat
	powers map[string]int
}

func newTerm() *term { return &term{factor: big.NewRat(1, 1), powers: map[string]int{}} }

func (t *term) multiply(o *term, exponent int) {
	for base, p := range o.powers {
		if t.powers[base] += p * exponent; t.powers[base] == 0 {
			delete(t.powers, base)
		}
	}
	f := o.factor
	if exponent < 0 {
		f, exponent = new(big.Rat).Inv(f), -exponent
	}
	for range exponent {
		t.factor.Mul(t.factor, f)
	}
}

// baseOrder is the order of base units in a canonical form; others follow by name.
var baseOrder = []string{"g", "m", "s", "C", "K", "cd", "rad"}

func (t *term) String() string {
	if len(t.powers) == 0 {
		return "1"
	}
	bases := make([]string, 0, len(t.powers))
	for b := range t.powers {
		bases = append(bases, b)
	}
	rank := func(b string) int {
		if i := slices.Index(baseOrder, b); i >= 0 {
			return i
		}
		return len(baseOrder)
	}
	slices.SortFunc(bases, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var s strings.Builder
	for i, b := range bases {
		if i > 0 {
			s.WriteByte('.')
		}
		s.WriteString(b)
		if p := t.powers[b]; p != 1 {
			s.WriteString(strconv.Itoa(p))
		}
	}
	return s.String()
}

// parser reads UCUM's grammar: terms of components with exponents and
// annotations, joined by '.' and '/'.
type parser struct {
	text string
	pos  int
}

func parseTerm(code string) (*term, bool) {
	p := &parser{text: code}
	t, ok := p.term(0)
	return t, ok && p.pos == len(code)
}

func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) term(depth int) (*term, bool) {
	if depth > 8 {
		return nil, false
	}
	t := newTerm()
	sign := 1
	if p.peek() == '/' {
		sign = -1
		p.pos++
	}
	for {
		c, ok := p.component(depth)
		if !ok {
			return nil, false
		}
		t.multiply(c, sign)
		switch p.peek() {
		case '.':
			sign = 1
		case '/':
			sign = -1
		default:
			return t, true
		}
		p.pos++
	}
}

func (p *parser) component(depth int) (*term, bool) {
	switch p.peek() {
	case '(':
		p.pos++
		t, ok := p.term(depth + 1)
		if !ok || p.peek() != ')' {
			return nil, false
		}
		p.pos++
		if p.peek() == '{' { // as in units that FHIR lists, against the grammar
			return t, p.annotation()
		}
		return t, true
	case '{':
		return newTerm(), p.annotation()
	}
	base, ok := p.simple()
	if !ok {
		return nil, false
	}
	if p.peek() == '{' {
		return base, p.annotation()
	}
	return base, true
}

func (p *parser) annotation() bool {
	end := strings.IndexByte(p.text[p.pos:], '}')
	if end < 0 {
		return false
	}
	p.pos += end + 1
	return true
}

// simple reads a number or an atom with its prefix and exponent.
func (p *parser) simple() (*term, bool) {
	from := p.pos
	for p.pos < len(p.text) && strings.IndexByte("./(){", p.text[p.pos]) < 0 {
		if p.text[p.pos] == '[' {
			end := strings.IndexByte(p.text[p.pos:], ']')
			if end < 0 {
				return nil, false
			}
			p.pos += end
		}
		p.pos++
	}
	text := p.text[from:p.pos]
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		t := newTerm()
		t.factor.SetInt64(int64(n))
		return t, n > 0
	}
	name := strings.TrimRight(text, "0123456789")
	exponent := 1
	if digits := text[len(name):]; digits != "" {
		name, _ = strings.CutSuffix(name, "+")
		sign := 1
		if cut, negative := strings.CutSuffix(name, "-"); negative {
			name, sign = cut, -1
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n > MaxExponent {
			return nil, false
		}
		exponent = sign * n
	}
	a, ok := atom(name)
	if !ok {
		return nil, false
	}
	t := newTerm()
	if exponent != 0 {
		t.multiply(a, exponent)
	}
	return t, true
}

// atoms maps every atom to the product of base units it measures.
var atoms = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, d := range dimensions {
		for a := range strings.FieldsSeq(d.atoms) {
			m[a] = d.base
		}
	}
	return m
})

var prefixes = []string{"da", "Ki", "Mi", "Gi", "Ti", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "d", "c", "m", "u", "n", "p", "f", "a", "z", "y"}

// derived are units whose definition cancels a base unit, which the library
// cannot convert.
var derived = map[string]*big.Rat{
	"Gy": big.NewRat(1, 1), "Sv": big.NewRat(1, 1), "RAD": big.NewRat(1, 100), "REM": big.NewRat(1, 100),
	"H": big.NewRat(1000, 1), "T": big.NewRat(1000, 1), "G": big.NewRat(1, 10),

	// These the library does not know, or not by that name.
	"eV": decimal("1.602176634e-16"), "By": big.NewRat(8, 1), "[ly]": big.NewRat(299792458*31557600, 1),
	"[mu_0]": decimal("0.0012566370614359172954"), "Gb": decimal("0.79577471545947667884"),
}

func decimal(text string) *big.Rat {
	r, _ := new(big.Rat).SetString(text)
	return r
}

// atom returns a unit without operators as a product of base units.
func atom(name string) (*term, bool) {
	base, known := atoms()[name]
	prefix := ""
	for i := 0; !known && i < len(prefixes); i++ {
		if rest, ok := strings.CutPrefix(name, prefixes[i]); ok {
			if base, known = atoms()[rest]; known {
				prefix = prefixes[i]
			}
		}
	}
	if !known {
		return nil, false
	}
	t := newTerm()
	for part := range strings.SplitSeq(base, ".") {
		if part == "" {
			continue
		}
		b := strings.TrimRight(part, "-0123456789")
		power := 1
		if digits := part[len(b):]; digits != "" && !strings.HasPrefix(b, "[") {
			power, _ = strconv.Atoi(digits)
		} else {
			b = part
		}
		t.powers[b] = power
	}
	f, ok := derived[name[len(prefix):]]
	if !ok && strings.HasPrefix(base, "[") {
		f, ok = big.NewRat(1, 1), true // an arbitrary unit is its own base
	}
	if ok {
		scale, err := ucum.ConvBigRat(big.NewRat(1, 1), prefix+"g", "g")
		if err != nil {
			return nil, false
		}
		t.factor.Mul(f, scale)
		return t, true
	}
	to := base
	if base == "" {
		to = "1"
	}
	f, err := ucum.ConvBigRat(big.NewRat(1, 1), name, to)
	if err != nil || f.Sign() <= 0 {
		return nil, false
	}
	t.factor = f
	return t, true
}
