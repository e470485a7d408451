package sqlite

import (
	"encoding/binary"
	"math"
)

// held are the index values of a current version in one run of bytes, which
// stands on the row of its resource. Every condition on a resource can be asked of
// it, and the rows of the index tables follow from it, so that a new version knows
// what the old one left there.
//
// It is a list of entries:
//
//	tag (class, flags) · pid · [group] · by class
//	texts:   [space] · [form] · length and bytes, or the number of the entry that has them
//	times:   low · high; a flag says that the parameter orders what index_key lists
//	amounts: low · high (8 bytes each) · [system · code · unit]; flags say whether of a quantity
//	words:   a digest of what index_text has
//
// Numbers are varints. Damage reads as the end of the list.
type held []byte

// Classes of entries, by what leads to them.
const (
	byKey    = iota // text, equality only: index_key
	byPrefix        // text: index_string
	byGram          // text that :contains looks in: index_string and index_gram
	byNone          // text
	byTime          // index_date
	byAmount        // index_number
	justAmount
	byWord // of no parameter: index_text
	classMask
)

const (
	hasGroup = 8 << iota
	hasSpace
	hasForm
	hasUnit
	sameText
)

// The same flags where they would have no meaning.
const (
	leads       = hasSpace // of times: of the type's leading date
	dated       = hasUnit  // of texts: index_key orders what it lists by that date
	isQuantity  = hasSpace // of amounts
	isCanonical = hasForm  // of amounts: of a quantity, in base units
)

// entry is one value. Text is that of the bytes it was read from.
type entry struct {
	class       int
	pid         int64
	group       int64
	space, form int64 // of texts: system or type, and identifier.type
	text        []byte
	dated       bool
	low, high   int64 // of times
	leads       bool
	from, to    float64
	of          byte  // of amounts: isQuantity, isCanonical or 0 for a number
	system      int64 // of amounts
	code, unit  int64
}

// middle of an amount; an open end is its own middle.
func (e *entry) middle() float64 {
	switch {
	case math.IsInf(e.from, 0):
		return e.from
	case math.IsInf(e.to, 0):
		return e.to
	}
	return e.from + (e.to-e.from)/2
}

// holder writes entries.
type holder struct {
	bytes []byte
	count int
	texts map[string]int // where a text stands first
}

// minShared is the length from which a text that repeats is not written again.
const minShared = 3

func (h *holder) add(e *entry) {
	tag := byte(e.class)
	if e.group != 0 {
		tag |= hasGroup
	}
	same := -1
	switch e.class {
	case byWord:
	case byTime:
		if e.leads {
			tag |= leads
		}
	case byAmount, justAmount:
		tag |= e.of
		if e.system|e.code|e.unit != 0 {
			tag |= hasUnit
		}
	default:
		if e.dated {
			tag |= dated
		}
		if e.space != 0 {
			tag |= hasSpace
		}
		if e.form != 0 {
			tag |= hasForm
		}
		if len(e.text) >= minShared {
			if at, ok := h.texts[string(e.text)]; ok {
				same = at
				tag |= sameText
			} else {
				if h.texts == nil {
					h.texts = map[string]int{}
				}
				h.texts[string(e.text)] = h.count
			}
		}
	}
	h.count++
	b := binary.AppendUvarint(append(h.bytes, tag), uint64(e.pid))
	if tag&hasGroup != 0 {
		b = binary.AppendUvarint(b, uint64(e.group))
	}
	switch e.class {
	case byTime:
		b = binary.AppendVarint(binary.AppendVarint(b, e.low), e.high)
	case byAmount, justAmount:
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.from))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.to))
		if tag&hasUnit != 0 {
			b = binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.system)), uint64(e.code)), uint64(e.unit))
		}
	case byWord:
		b = append(b, e.text[:digestSize]...)
	default:
		if tag&hasSpace != 0 {
			b = binary.AppendUvarint(b, uint64(e.space))
		}
		if tag&hasForm != 0 {
			b = binary.AppendUvarint(b, uint64(e.form))
		}
		if same >= 0 {
			b = binary.AppendUvarint(b, uint64(same))
		} else {
			b = append(binary.AppendUvarint(b, uint64(len(e.text))), e.text...)
		}
	}
	h.bytes = b
}

// digestSize is how much of the digest of a resource's words is kept.
const digestSize = 8

// reader reads the entries of a held one by one.
type heldReader struct {
	rest  []byte
	texts [][]byte
	buf   [64][]byte
	bad   bool
}

func (r *heldReader) begin(h []byte) {
	r.rest, r.bad = h, false
	r.texts = r.buf[:0]
}

func (r *heldReader) uint() int64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return int64(v)
}

func (r *heldReader) int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *heldReader) take(n int64) []byte {
	if n < 0 || n > int64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *heldReader) float() float64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// next reads an entry into e; false at the end.
func (r *heldReader) next(e *entry) bool {
	if len(r.rest) == 0 {
		return false
	}
	tag := r.rest[0]
	r.rest = r.rest[1:]
	e.class, e.pid = int(tag&(classMask-1)), r.uint()
	e.group, e.space, e.form, e.text = 0, 0, 0, nil
	if tag&hasGroup != 0 {
		e.group = r.uint()
	}
	switch e.class {
	case byTime:
		e.low, e.high, e.leads = r.int(), r.int(), tag&leads != 0
	case byAmount, justAmount:
		e.of = tag & (isQuantity | isCanonical)
		e.from, e.to = r.float(), r.float()
		e.system, e.code, e.unit = 0, 0, 0
		if tag&hasUnit != 0 {
			e.system, e.code, e.unit = r.uint(), r.uint(), r.uint()
		}
	case byWord:
		e.text = r.take(digestSize)
	default:
		e.dated = tag&dated != 0
		if tag&hasSpace != 0 {
			e.space = r.uint()
		}
		if tag&hasForm != 0 {
			e.form = r.uint()
		}
		if n := r.uint(); tag&sameText == 0 {
			e.text = r.take(n)
		} else if n >= 0 && n < int64(len(r.texts)) {
			e.text = r.texts[n]
		} else {
			r.bad, r.rest = true, nil
		}
	}
	r.texts = append(r.texts, e.text)
	return !r.bad
}
