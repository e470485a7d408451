package oracle

import (
	"fmt"
	"math"
	"strings"

	"github.com/yilian/yilian/gateway/search"
)

var escapes = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`)

// Pairs writes a parameter of a query for each index value of a resource that a query
// can name, as a client would write it; grouped values as those of a composite
// parameter. The resource must be found by each of them.
func Pairs(v search.Values) []search.Pair {
	var out []search.Pair
	groups := map[string]map[uint16][]string{}
	add := func(param string, group uint16, modifier, value string) {
		code, component, grouped := strings.Cut(param, "$")
		if !grouped {
			out = append(out, search.Pair{Name: param + modifier, Value: value})
			return
		}
		if groups[code] == nil {
			groups[code] = map[uint16][]string{}
		}
		i := int(component[0] - '0')
		for len(groups[code][group]) <= i {
			groups[code][group] = append(groups[code][group], "")
		}
		groups[code][group][i] = value
	}
	for _, k := range v.Tokens {
		if k.Code != "" || k.System != "" {
			add(k.Param, k.Group, "", escapes.Replace(k.System)+"|"+escapes.Replace(k.Code))
		}
		if k.Text != "" && k.Group == 0 {
			add(k.Param, 0, ":text", escapes.Replace(k.Text))
		}
		if system, code, ok := strings.Cut(k.Type, "|"); ok && system != "" && code != "" && k.Code != "" && k.Group == 0 {
			add(k.Param, 0, ":of-type", escapes.Replace(system)+"|"+escapes.Replace(code)+"|"+escapes.Replace(k.Code))
		}
	}
	for _, k := range v.Strings {
		add(k.Param, k.Group, "", escapes.Replace(k.Exact))
		if k.Group == 0 {
			add(k.Param, 0, ":exact", escapes.Replace(k.Exact))
			add(k.Param, 0, ":contains", escapes.Replace(k.Exact))
		}
	}
	for _, k := range v.References {
		switch {
		case k.ID != "" && k.Type != "":
			add(k.Param, k.Group, "", k.Type+"/"+k.ID)
		case k.URL != "" && !strings.HasSuffix(k.URL, ". *") && (strings.Contains(k.URL, "://") || strings.HasPrefix(k.URL, "urn:")):
			add(k.Param, k.Group, "", escapes.Replace(k.URL))
		case k.Value != "":
			add(k.Param, k.Group, ":identifier", escapes.Replace(k.System)+"|"+escapes.Replace(k.Value))
		}
	}
	for _, k := range v.Quantities {
		value := number(k.Low + (k.High-k.Low)/2)
		if strings.Contains(value, "…") || strings.Contains(value, "N") {
			continue
		}
		if k.Code != "" {
			value += "|" + escapes.Replace(k.System) + "|" + escapes.Replace(k.Code)
		}
		add(k.Param, k.Group, "", "ap"+value)
	}
	for _, k := range v.Numbers {
		if value := number(k.Low + (k.High-k.Low)/2); !strings.Contains(value, "…") && !strings.HasPrefix(k.Param, "near") {
			add(k.Param, k.Group, "", "ap"+value)
		}
	}
	for _, k := range v.URIs {
		add(k.Param, k.Group, "", escapes.Replace(k.Value))
	}
	for _, k := range v.Texts {
		for _, term := range k.Terms {
			out = append(out, search.Pair{Name: k.Param, Value: `"` + escapes.Replace(term) + `"`}) // it may be "and"
		}
	}
	for code, list := range groups {
		for _, parts := range list {
			// Groups that have a value which no query can name are left out.
			if value := strings.Join(parts, "$"); len(parts) > 1 && !strings.HasPrefix(value, "$") && !strings.HasSuffix(value, "$") && !strings.Contains(value, "$$") {
				out = append(out, search.Pair{Name: code, Value: value})
			}
		}
	}
	return out
}

// number writes the middle of an interval, or … where that is open.
func number(f float64) string {
	if math.IsInf(f, 0) {
		return "…"
	}
	return fmt.Sprintf("%.6g", f)
}
