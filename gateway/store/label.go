package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/yilian/yilian/gateway/search"
)

// Label is a profile, tag or security label that the meta of a resource carries, as the
// index values have it.
type Label struct {
	Type   string // of the resource
	Param  string // _profile, _security or _tag
	System string // "" of a profile
	Code   string // the URL of a profile
}

// Labels tells which labels there may be.
type Labels interface {
	// Labels returns the labels that index values of a type ("": of any) were ever
	// written with, at most limit, each once. Whether a resource still carries one is
	// for a search to tell. What was committed is among them, and more may be.
	Labels(ctx context.Context, typ string, limit int) ([]Label, error)
}

// The parameters of labels: profiles are URIs, the others tokens.
const paramProfile = "_profile"

var paramsCoded = []string{"_security", "_tag"}

// labelMark begins the names of labels among the names that an adapter keeps.
const labelMark = '='

// EachLabel calls fn with the name of each label in the index values of a resource, under
// which an adapter keeps it once. The bytes are fn's until it returns.
func EachLabel(typ string, v *search.Values, fn func(name []byte)) {
	var name []byte
	each := func(param, system, code string) {
		name = append(append(name[:0], labelMark), typ...)
		name = append(append(append(name, '.'), param...), labelMark)
		name = append(strconv.AppendInt(name, int64(len(system)), 10), ':')
		name = append(append(name, system...), code...)
		fn(name)
	}
	for i := range v.Tokens {
		if k := &v.Tokens[i]; k.Group == 0 && (k.System != "" || k.Code != "") && slices.Contains(paramsCoded, k.Param) {
			each(k.Param, k.System, k.Code)
		}
	}
	for i := range v.URIs {
		if k := &v.URIs[i]; k.Group == 0 && k.Param == paramProfile && !versioned(v.URIs, k.Value) {
			each(k.Param, "", k.Value)
		}
	}
}

// versioned tells whether a profile is there with its version too: then it stands without
// one only for searches.
func versioned(list []search.URI, url string) bool {
	return slices.ContainsFunc(list, func(k search.URI) bool {
		return k.Param == paramProfile && len(k.Value) > len(url) && k.Value[:len(url)] == url && k.Value[len(url)] == '|'
	})
}

// LabelNames are the bounds of the names of all labels of a type, "" for any: from low,
// before high.
func LabelNames(typ string) (low, high string) {
	if typ == "" {
		return string(rune(labelMark)), string(rune(labelMark + 1))
	}
	return string(rune(labelMark)) + typ + ".", string(rune(labelMark)) + typ + "/"
}

// ParseLabel reads the name of a label; ok is false for a name that is none, which any
// client may have brought.
func ParseLabel(name string) (l Label, ok bool) {
	rest, ok := strings.CutPrefix(name, string(rune(labelMark)))
	if !ok {
		return l, false
	}
	var length string
	l.Type, rest, _ = strings.Cut(rest, ".")
	l.Param, rest, _ = strings.Cut(rest, string(rune(labelMark)))
	length, rest, ok = strings.Cut(rest, ":")
	n, err := strconv.Atoi(length)
	if !ok || err != nil || n < 0 || n > len(rest) || l.Param != paramProfile && !slices.Contains(paramsCoded, l.Param) {
		return Label{}, false
	}
	l.System, l.Code = rest[:n], rest[n:]
	return l, true
}
