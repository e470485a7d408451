package oracle

import (
	"math"
	"slices"
	"strings"

	"github.com/yilian/yilian/gateway/search"
)

// Resource is what is known of one resource.
type Resource struct {
	Type, ID string
	Updated  int64 // microseconds; not asked where it is 0
	Source   string
	Values   search.Values
}

// World is all resources there are.
type World struct {
	Resources []Resource
	// Visible tells whether the viewer may see one; nil means all.
	Visible func(i int) bool
}

// Find returns the ids of the resources of a type that all clauses hold for, sorted.
func (w *World) Find(typ string, where []search.Clause) []string {
	out := []string{}
	for i := range w.Resources {
		if w.Resources[i].Type == typ && w.visible(i) && w.Holds(&w.Resources[i], where) {
			out = append(out, w.Resources[i].ID)
		}
	}
	slices.Sort(out)
	return out
}

func (w *World) visible(i int) bool { return w.Visible == nil || w.Visible(i) }

// Holds reports whether all clauses hold for a resource.
func (w *World) Holds(r *Resource, where []search.Clause) bool {
	for i := range where {
		if !w.clause(r, &where[i]) {
			return false
		}
	}
	return true
}

func (w *World) clause(r *Resource, c *search.Clause) bool {
	holds := false
	if c.Missing != nil {
		holds = *c.Missing != present(r, c)
	} else {
		for _, o := range c.Any {
			holds = holds || w.operand(r, c.Param, o)
		}
	}
	return holds != c.Not
}

func present(r *Resource, c *search.Clause) bool {
	v := &r.Values
	switch c.Param {
	case "_id", "_lastUpdated":
		return true
	case "_source":
		return r.Source != ""
	}
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
	case search.KindURI:
		return slices.ContainsFunc(v.URIs, func(k search.URI) bool { return k.Param == c.Param })
	}
	panic("oracle: no store is asked whether a parameter of this kind is present")
}

func (w *World) operand(r *Resource, param string, o search.Operand) bool {
	v := &r.Values
	switch o := o.(type) {
	case search.AllMatch:
		return w.Holds(r, o.Where)
	case search.CompositeMatch:
		return composite(v, param, o)
	case search.NearMatch:
		return slices.ContainsFunc(v.Numbers, func(lat search.Number) bool {
			return lat.Param == search.Component(param, 0) && slices.ContainsFunc(v.Numbers, func(lon search.Number) bool {
				return lon.Param == search.Component(param, 1) && lon.Group == lat.Group && Distance(lat.Low, lon.Low, o.Latitude, o.Longitude) <= o.Meters
			})
		})
	case search.TextMatch:
		return slices.ContainsFunc(v.Texts, func(t search.Text) bool {
			return t.Param == param && !slices.ContainsFunc(o.Terms, func(term string) bool { return !slices.Contains(t.Terms, term) })
		})
	case search.ChainMatch:
		return slices.ContainsFunc(v.References, func(k search.Reference) bool {
			if k.Param != param || k.Type != o.Type || k.ID == "" {
				return false
			}
			for i := range w.Resources {
				if to := &w.Resources[i]; to.Type == o.Type && to.ID == k.ID && w.visible(i) && w.Holds(to, o.Where) {
					return true
				}
			}
			return false
		})
	case search.HasMatch:
		for i := range w.Resources {
			from := &w.Resources[i]
			if from.Type == o.Type && w.visible(i) && w.Holds(from, o.Where) &&
				slices.ContainsFunc(from.Values.References, func(k search.Reference) bool {
					return k.Param == o.Param && k.Type == r.Type && k.ID == r.ID
				}) {
				return true
			}
		}
		return false
	}
	switch param {
	case "_id":
		return o.(search.TokenMatch).Code == r.ID
	case "_source":
		return r.Source != "" && uriHolds(r.Source, o.(search.URIMatch))
	case "_lastUpdated":
		return dateHolds(r.Updated, r.Updated+1, o.(search.DateMatch))
	}
	return value(v, param, o, func(uint16) bool { return true })
}

// value tells whether a value of a parameter, in a group that is asked for, fulfils
// an operand.
func value(v *search.Values, param string, o search.Operand, in func(uint16) bool) bool {
	switch o := o.(type) {
	case search.TokenMatch:
		return slices.ContainsFunc(v.Tokens, func(k search.Token) bool {
			switch {
			case k.Param != param, !in(k.Group):
				return false
			case o.Other:
				return o.System != nil && *o.System != k.System || o.Type != "" && o.Type != k.Type || o.Code != "" && o.Code != k.Code
			case o.System != nil && *o.System != k.System, o.Type != "" && o.Type != k.Type:
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
			if k.Param != param || !in(k.Group) {
				return false
			}
			switch o.Mode {
			case search.Prefix:
				return strings.HasPrefix(k.Folded, o.Text)
			case search.Exact:
				return k.Exact == o.Text
			case search.Contains:
				return strings.Contains(k.Folded, o.Text)
			case search.Equal:
				return k.Folded == o.Text
			case search.Suffix:
				return strings.HasSuffix(k.Folded, o.Text)
			case search.Other:
				return k.Folded != o.Text
			}
			return false
		})
	case search.DateMatch:
		return slices.ContainsFunc(v.Dates, func(k search.Date) bool { return k.Param == param && in(k.Group) && dateHolds(k.Low, k.High, o) })
	case search.NumberMatch:
		return slices.ContainsFunc(v.Numbers, func(k search.Number) bool { return k.Param == param && in(k.Group) && numberHolds(k.Low, k.High, o) })
	case search.QuantityMatch:
		return slices.ContainsFunc(v.Quantities, func(k search.Quantity) bool {
			switch {
			case k.Param != param, !in(k.Group):
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
			case k.Param != param, !in(k.Group):
				return false
			case o.Identifier != nil:
				return k.Value == o.Identifier.Code && (o.Identifier.System == nil || *o.Identifier.System == k.System)
			case o.URL != "":
				return k.URL == o.URL
			}
			return k.ID == o.ID && (o.Type == "" || k.Type == o.Type)
		})
	case search.URIMatch:
		return slices.ContainsFunc(v.URIs, func(k search.URI) bool { return k.Param == param && in(k.Group) && uriHolds(k.Value, o) })
	}
	return false
}

// composite tries every group that any component has.
func composite(v *search.Values, param string, m search.CompositeMatch) bool {
	groups := map[uint16]bool{}
	prefix := param + "$"
	each := func(p string, g uint16) {
		if g != 0 && strings.HasPrefix(p, prefix) {
			groups[g] = true
		}
	}
	for _, k := range v.Tokens {
		each(k.Param, k.Group)
	}
	for _, k := range v.Strings {
		each(k.Param, k.Group)
	}
	for _, k := range v.Dates {
		each(k.Param, k.Group)
	}
	for _, k := range v.References {
		each(k.Param, k.Group)
	}
	for _, k := range v.Numbers {
		each(k.Param, k.Group)
	}
	for _, k := range v.Quantities {
		each(k.Param, k.Group)
	}
	for _, k := range v.URIs {
		each(k.Param, k.Group)
	}
next:
	for g := range groups {
		for i, part := range m.Parts {
			if !value(v, search.Component(param, i), part.Match, func(in uint16) bool { return in == g }) {
				continue next
			}
		}
		return true
	}
	return false
}

// radius of the sphere that near measures on, in meters.
const radius = 6371008.8

// Distance is how far two positions in degrees are apart on the sphere, in meters.
func Distance(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	a := math.Pow(math.Sin((lat2-lat1)*rad/2), 2) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Pow(math.Sin((lon2-lon1)*rad/2), 2)
	return 2 * radius * math.Asin(math.Sqrt(min(1, a)))
}

func uriHolds(value string, m search.URIMatch) bool {
	return value == m.Value || m.Below && below(value, m.Value) || m.Above && below(m.Value, value)
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
		atLeast = high >= m.Value-slack
		atMost = low <= m.Value+slack
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
