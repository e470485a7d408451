package charset

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Two-byte codes: lead 81–FE, trail 40–FE without 7F.
const (
	gbLeads  = 0xFE - 0x81 + 1
	gbTrails = 0xFE - 0x40 + 1
)

// gbPairs holds the character of each two-byte code, 0 where there is none. It is
// the table of x/text with the user-defined areas put in, where hospitals keep
// the rare characters of names: they are private-use characters, not errors.
var gbPairs = sync.OnceValue(func() *[gbLeads * gbTrails]uint16 {
	var t [gbLeads * gbTrails]uint16
	in := make([]byte, 0, 2*len(t))
	for i := range t {
		in = append(in, byte(0x81+i/gbTrails), byte(0x40+i%gbTrails))
		if in[len(in)-1] == 0x7F {
			in[len(in)-1] = 0x40 // no trail byte; overwritten with 0 below
		}
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(in)
	if err != nil {
		return &t
	}
	i := 0
	for _, r := range string(out) {
		if trail := i % gbTrails; r != utf8.RuneError && r <= 0xFFFF && trail != 0x7F-0x40 {
			t[i] = uint16(r)
		}
		i++
	}
	fill := func(lead, lastLead, trail, lastTrail int, r uint16) {
		for l := lead; l <= lastLead; l++ {
			for c := trail; c <= lastTrail; c++ {
				if c == 0x7F {
					continue
				}
				if at := &t[(l-0x81)*gbTrails+c-0x40]; *at == 0 {
					*at = r
				}
				r++
			}
		}
	}
	fill(0xAA, 0xAF, 0xA1, 0xFE, 0xE000)
	fill(0xF8, 0xFE, 0xA1, 0xFE, 0xE234)
	fill(0xA1, 0xA7, 0x40, 0xA0, 0xE4C6)
	return &t
})

// nextGB returns the first character of b and its length, 0 when it is none.
func nextGB(b []byte, pairs *[gbLeads * gbTrails]uint16) (rune, int) {
	c := b[0]
	switch {
	case c < 0x80:
		return rune(c), 1
	case c == 0x80: // the euro of code page 936
		return '€', 1
	case c == 0xFF || len(b) < 2:
		return 0, 0
	}
	d := b[1]
	if d >= 0x40 && d <= 0xFE {
		if r := pairs[int(c-0x81)*gbTrails+int(d-0x40)]; r != 0 {
			return rune(r), 2
		}
		return 0, 0
	}
	if d < 0x30 || d > 0x39 || len(b) < 4 || b[2] < 0x81 || b[2] > 0xFE || b[3] < 0x30 || b[3] > 0x39 {
		return 0, 0
	}
	linear := ((int(c-0x81)*10+int(d-0x30))*126+int(b[2]-0x81))*10 + int(b[3]-0x30)
	if linear >= 189000 {
		if linear >= 189000+0x100000 {
			return 0, 0
		}
		return rune(linear - 189000 + 0x10000), 4
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b[:4])
	r, _ := utf8.DecodeRune(out)
	if err != nil || r == utf8.RuneError && string(b[:4]) != "\x84\x31\xA4\x37" {
		return 0, 0
	}
	return r, 4
}

// decodeGB decodes b up to the first byte that is not GB18030 and returns how far
// it came.
func decodeGB(b []byte) (string, int) {
	var out strings.Builder
	out.Grow(len(b) + len(b)/4)
	pairs := gbPairs()
	for i := 0; i < len(b); {
		if b[i] < 0x80 {
			start := i
			for i < len(b) && b[i] < 0x80 {
				i++
			}
			out.Write(b[start:i])
			continue
		}
		r, size := nextGB(b[i:], pairs)
		if size == 0 {
			return out.String(), i
		}
		out.WriteRune(r)
		i += size
	}
	return out.String(), len(b)
}
