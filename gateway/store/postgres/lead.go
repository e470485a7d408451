package postgres

import (
	"bytes"
	"strings"
)

// What the index tables lead by. A row of an index says where to look, and the row of the resource
// decides; so texts and numbers that stand under several parameters of a type need one row only,
// under a number that the parameters share.

// telling is the length from which a text with a digit leads for all parameters of its type.
const telling = 8

// tells reports whether a text tells much – a number of a person, an id – so that what it leads to is
// little whichever parameter has it. A word does not: "false" of one parameter has nothing to do with
// that of another.
func tells[T string | []byte](text T) bool {
	return len(text) >= telling && bytes.ContainsAny([]byte(text), "0123456789")
}

// sharing is one of the numbers that parameters of a type have in common.
type sharing int32

const (
	byTell      sharing = iota // keys of texts that tell much
	byCode                     // keys of what resources of the type are about
	byGroup                    // keys of other codes in composites
	byText                     // strings and uris
	byLabel                    // displays and texts of codes
	byAmount                   // numbers and quantities
	byCanonical                // quantities in base units
	sharedCount
)

// of is the number for a type. Those of names are positive.
func (s sharing) of(typ int32) int32 { return -(typ*int32(sharedCount) + int32(s)) }

// isCode reports whether a token parameter, or a component of a composite, has the codes of what a
// resource, or a component of it, is about. Their keys stand together: a code has one row, whether
// it is looked for as code, combo-code or in a composite with a value.
func isCode(param string) bool {
	name, part, grouped := strings.Cut(param, "$")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "combo-"), "component-")
	return !grouped && name == "code" || part == "0" && strings.HasPrefix(name, "code-")
}

// lead is what a key stands under. own means that of the parameter, and then nothing else stands there.
type lead struct {
	shared sharing
	own    bool
	dated  bool
}

// leadOf returns where the key of a code stands (token), or of an id or other text of a reference.
func leadOf(param, form, text string, token, grouped bool) lead {
	switch {
	case tells(text):
		return lead{shared: byTell, dated: true}
	case token && isCode(param):
		return lead{shared: byCode, dated: true}
	case token && grouped:
		return lead{shared: byGroup}
	}
	return lead{own: true, dated: !token && form == ""}
}

// A dated key has its resources in the order of the leading date of the type, others in that of their
// creation. Dated are keys that clients ask the newest of: of references and codes, and of what tells much,
// which is little. Words such as a status list a large part of the type, and there what is new would be
// written all over.
func dated(key int64) bool { return key&1 == 1 }

func keyOf(hash, under int64, dated bool) int64 {
	if dated {
		return (hash ^ under) | 1
	}
	return (hash ^ under) &^ 1
}

// The column at of index_key is the low end of the resource's only leading date of at most a day where the key
// is dated; or one of these, which no such date has.
const (
	atNone  = 0 // no leading date, or no dated key
	atOther = 1 // several leading dates, or a long one, or one before 1970
)
