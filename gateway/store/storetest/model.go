package storetest

import (
	"math"
	"slices"
	"strings"

	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
)

// model is a plain evaluator of queries over a list of resources.
type model []item

func (m model) find(q *search.Query) []string {
	out := []string{}
	for i := range m {
		if r := &m[i]; key(r.key).Type == q.Type && m.visible(r, &q.Allowed) && m.all(r, q.Where, &q.Allowed) {
			out = append(out, key(r.key).ID)
		}
	}
	slices.Sort(out)
	return out
}

func (m model) visible(r *item, a *search.Allowed) bool {
	if r.deleted || a.Patients != nil && (r.patient == "" || !slices.Contains(a.Patients, r.patient)) {
		return false
	}
	return a.All || slices.Contains(a.Owners, r.owner) || a.Shared && r.owner == store.Alliance && r.patient == ""
}

func (m model) all(r *item, where []search.Clause, a *search.Allowed) bool {
	for i := range where {
		c := &where[i]
		holds := false
		if c.Missing != nil {
			holds = *c.Missing != has(r, c)
		} else {
			for _, o := range c.Any {
				holds = holds || m.operand(r, c.Param, o, a)
			}
		}
		if holds == c.Not {
			return false
		}
	}
	return true
}

func has(r *item, c *search.Clause) bool {
	v := &r.values
	switch c.Kind {
	case search.KindToken:
		return slices.ContainsFunc(v.Tokens, func(k search.Token) bool { return k.Param == c.Param })
	case search.KindString:
		return slices.ContainsFunc(v.Strings, func(k search.String) bool { return k.Param == c.Param })
	case search.KindDate:
		return slices.ContainsFunc(v.Dates, func(k search.Date) bool { return k.Param == c.Param })
	case search.KindReference:
		return slices.ContainsFunc(v.References, func(k search.Reference) bool { return k.Param == c.Param })
	case search.KindNumber:
		return slices.ContainsFunc(v.Numbers, func(k search.Number) bool { return k.Param == c.Param })
	case search.KindQuantity:
		return slices.ContainsFunc(v.Quantities, func(k search.Quantity) bool { return k.Param == c.Param })
	}
	return slices.ContainsFunc(v.URIs, func(k search.URI) bool { return k.Param == c.Param })
}

func (m model) operand(r *item, param string, o search.Operand, a *search.Allowed) bool {
	v := &r.values
	switch o := o.(type) {
	case search.TokenMatch:
		return slices.ContainsFunc(v.Tokens, func(k search.Token) bool {
			switch {
			case k.Param != param, o.System != nil && *o.System != k.System, o.Type != "" && o.Type != k.Type:
				return false
			case o.Text != "":
				return strings.HasPrefix(k.Text, o.Text)
			case o.Code == "":
				return o.System != nil
			}
			return o.Code == k.Code
		})
	case search.StringMatch:
		return slices.ContainsFunc(v.Strings, func(k search.String) bool {
			return k.Param == param && (o.Mode == search.Prefix && strings.HasPrefix(k.Folded, o.Text) ||
				o.Mode == search.Exact && k.Exact == o.Text || o.Mode == search.Contains && strings.Contains(k.Folded, o.Text))
		})
	case search.DateMatch:
		return slices.ContainsFunc(v.Dates, func(k search.Date) bool { return k.Param == param && dateHolds(k.Low, k.High, o) })
	case search.NumberMatch:
		return slices.ContainsFunc(v.Numbers, func(k search.Number) bool { return k.Param == param && numberHolds(k.Low, k.High, o) })
	case search.QuantityMatch:
		return slices.ContainsFunc(v.Quantities, func(k search.Quantity) bool {
			switch {
			case k.Param != param:
				return false
			case o.Canonical:
				return k.CanonicalCode == o.Code && numberHolds(k.CanonicalLow, k.CanonicalHigh, o.NumberMatch)
			case o.Code != "" && o.System != "" && (k.System != o.System || k.Code != o.Code),
				o.Code != "" && o.System == "" && k.Code != o.Code && k.Unit != o.Code:
				return false
			}
			return numberHolds(k.Low, k.High, o.NumberMatch)
		})
	case search.ReferenceMatch:
		return slices.ContainsFunc(v.References, func(k search.Reference) bool {
			switch {
			case k.Param != param:
				return false
			case o.Identifier != nil:
				return k.Value == o.Identifier.Code && (o.Identifier.System == nil || *o.Identifier.System == k.System)
			case o.URL != "":
				return k.URL == o.URL
			}
			return k.ID == o.ID && (o.Type == "" || k.Type == o.Type)
		})
	case search.URIMatch:
		return slices.ContainsFunc(v.URIs, func(k search.URI) bool {
			return k.Param == param && (k.Value == o.Value || o.Below && below(k.Value, o.Value) || o.Above && below(o.Value, k.Value))
		})
	case search.ChainMatch:
		return slices.ContainsFunc(v.References, func(k search.Reference) bool {
			if k.Param != param || k.Type != o.Type || k.ID == "" {
				return false
			}
			return slices.ContainsFunc(m, func(to item) bool {
				return to.key == o.Type+"/"+k.ID && m.visible(&to, a) && m.all(&to, o.Where, a)
			})
		})
	case search.HasMatch:
		return slices.ContainsFunc(m, func(from item) bool {
			return key(from.key).Type == o.Type && m.visible(&from, a) && m.all(&from, o.Where, a) &&
				slices.ContainsFunc(from.values.References, func(k search.Reference) bool {
					return k.Param == o.Param && k.Type+"/"+k.ID == r.key
				})
		})
	}
	return false
}

func below(uri, base string) bool {
	return strings.HasPrefix(uri, strings.TrimSuffix(base, "/")+"/")
}

func dateHolds(low, high int64, m search.DateMatch) bool {
	within := m.Low <= low && high <= m.High
	switch m.Compare {
	case search.EQ:
		return within
	case search.NE:
		return !within
	case search.GT:
		return high > m.High
	case search.LT:
		return low < m.Low
	case search.GE:
		return high > m.High || within
	case search.LE:
		return low < m.Low || within
	case search.SA:
		return low >= m.High
	case search.EB:
		return high <= m.Low
	}
	return low < m.High && high > m.Low
}

// numberHolds compares the middle of an interval, which is the number that was
// written; an interval with an open end (">5") by what it may stand for.
func numberHolds(low, high float64, m search.NumberMatch) bool {
	open := math.IsInf(low, 0) || math.IsInf(high, 0)
	v := low + (high-low)/2
	slack := math.Abs(m.Value) * 1e-12
	eq := !open && (v >= m.Low && v < m.High || m.Low >= m.High && math.Abs(v-m.Value) <= slack)
	above, atLeast := v > m.Value+slack, v >= m.Value-slack
	beneath, atMost := v < m.Value-slack, v <= m.Value+slack
	if open {
		above = high > m.Value+slack
		beneath = low < m.Value-slack
		atLeast, atMost = above, beneath
	}
	switch m.Compare {
	case search.EQ:
		return eq
	case search.NE:
		return !eq
	case search.GT:
		return above
	case search.LT:
		return beneath
	case search.GE:
		return atLeast
	case search.LE:
		return atMost
	case search.SA:
		return low > m.Value
	case search.EB:
		return high < m.Value
	}
	tenth := math.Abs(m.Value) / 10
	return low <= max(m.High, m.Value+tenth) && high >= min(m.Low, m.Value-tenth)
}
