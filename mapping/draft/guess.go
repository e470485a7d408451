package draft

import (
	"cmp"
	"slices"
	"strings"
)

// Scores of a guess: the heading's weight, what the values say, and whether the concept is at home in such a table.
const (
	atHome   = 0.2 // in few kinds of table
	general  = 0.1 // in every kind
	abroad   = -0.3
	answered = 9.0  // above every guess
	certain  = 0.7  // from here a guess is made
	doubted  = 0.85 // below, it is marked
	margin   = 0.08 // by which it must be better than the next
)

type candidate struct {
	*concept
	score float64
}

// guesser decides what columns hold.
type guesser struct {
	lex  *lexicon
	told map[*column]*concept // what needs no guess
}

// scope guesses the kind of a table – or of what an array holds – and then its columns in the light of it. Two rounds are enough: the
// first finds the telling columns, the second those whose headings mean different things in different tables.
func (g *guesser) scope(s *scope) {
	own := map[*column][]candidate{}
	for _, c := range s.columns {
		own[c] = g.candidates(c, noKind)
	}
	s.kind, s.score = g.kindOf(s, own)
	for range 2 {
		for _, c := range s.columns {
			own[c] = g.candidates(c, s.kind)
		}
		again, score := g.kindOf(s, own)
		if again == s.kind {
			s.score = score
			break
		}
		s.kind, s.score = again, score
	}
	if s.told != noKind && s.kind != s.told {
		s.kind = s.told
		for _, c := range s.columns {
			own[c] = g.candidates(c, s.kind)
		}
	}
	g.assign(s, own)
	for _, k := range s.kids {
		g.scope(k)
	}
}

// names around a column, outermost first: an array's own name is one.
func (c *column) names() []string {
	if c.scope.parent != nil && len(c.scope.step) > 0 {
		if len(c.steps) == 1 && c.steps[0] == itself {
			return c.scope.step
		}
		return append([]string{c.scope.step[len(c.scope.step)-1]}, c.steps...)
	}
	return c.steps
}

// candidates returns what a column may hold, the best first: what was answered, else what it seems to.
func (g *guesser) candidates(c *column, k kind) []candidate {
	to := g.told[c]
	if !c.left && to == nil {
		return g.seeming(c, k)
	}
	if list := g.seeming(c, k); len(list) > 0 {
		c.seems = list[0].name
	}
	if c.left {
		return nil
	}
	return []candidate{{to, answered}}
}

func (g *guesser) seeming(c *column, k kind) []candidate {
	var out []candidate
	note := func(name string, heading float64) {
		concept := g.lex.concepts[name]
		if concept == nil {
			return
		}
		score := heading
		if c.present > 0 {
			fit := fits[concept.class](&c.profile)
			if fit == never {
				return
			}
			score += fit
		}
		switch {
		case k == noKind:
		case concept.kinds == nil:
			score += general
		case concept.home(k):
			score += atHome
		case c.scope.parent == nil && len(c.steps) > 1 || embedded(k, concept):
		default:
			score += abroad
		}
		out = append(out, candidate{concept, score})
	}
	headings := g.lex.match(c.names())
	for name, weight := range headings {
		note(name, weight)
	}
	if name, strength := c.speaksFor(); name != "" && headings[name] < strength {
		note(name, strength-0.5) // its fit adds the rest
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.at, b.at))
	})
	return out
}

// embedded reports what tables of a kind often carry beside their own: whom a row is about, and the visit.
func embedded(k kind, c *concept) bool {
	switch {
	case c.kinds[patients], c.kinds[visits]:
		return k != labItems && k != susceptibility && k != cultures
	case c.kinds[labReports]:
		return k == labItems || k == orders || k == exams
	case c.kinds[labItems]:
		return k == labReports || k == cultures
	case c.kinds[diagnoses]:
		return k == referrals || k == prescriptions
	}
	return false
}

// kindOf weighs what the columns seem to hold, and what the table is called.
func (g *guesser) kindOf(s *scope, own map[*column][]candidate) (kind, float64) {
	sums := map[kind]float64{}
	seen := map[string]float64{}
	for _, c := range s.columns {
		list := own[c]
		for i, cand := range list {
			if i > 2 || cand.score < 0.6 || cand.score < list[0].score-0.25 {
				break
			}
			// A heading that could mean several things speaks for each a little less.
			seen[cand.name] = max(seen[cand.name], min(cand.score, 1)/float64(i+1))
		}
	}
	for k, concepts := range marks {
		for name, weight := range concepts {
			sums[k] += weight * seen[name]
		}
	}
	for _, k := range g.topics(s) {
		sums[k] += topicWeight
	}
	if sums[labItems] > 0 && (seen["result"] > 0 && (seen["item"] > 0 || seen["item.name"] > 0)) {
		sums[labItems] += 2
	}
	best := noKind
	for _, k := range kinds { // in order: the same every time
		if best == noKind || sums[k] > sums[best] {
			best = k
		}
	}
	if best == patients && s.isDocument() { // a document names its patient before it comes to the point
		for _, k := range kinds {
			if k != patients && sums[k] >= leastKind+2 && (best == patients || sums[k] > sums[best]) {
				best = k
			}
		}
	}
	if sums[best] < leastKind {
		return noKind, sums[best]
	}
	return best, sums[best]
}

// isDocument reports a scope whose values stand in groups.
func (s *scope) isDocument() bool {
	return slices.ContainsFunc(s.columns, func(c *column) bool { return len(c.steps) > 1 })
}

// topics are the kinds that the name of a table or array names.
func (g *guesser) topics(s *scope) []kind {
	name := s.name
	if name == "" {
		return nil
	}
	if list := g.lex.topics[headingKey(name)]; len(list) > 0 {
		return list
	}
	words := wordsOf(name)
	for i := range words {
		if list := g.lex.topics[strings.Join(words[i:], "")]; len(list) > 0 && i > 0 {
			return list
		}
	}
	if key := headingKey(name); hasHan(key) {
		runes := []rune(key)
		for i := 1; i < len(runes)-1; i++ {
			if list := g.lex.topics[string(runes[i:])]; len(list) > 0 {
				return list
			}
		}
		for i := len(runes) - 1; i > 1; i-- {
			if list := g.lex.topics[string(runes[:i])]; len(list) > 0 {
				return list
			}
		}
	}
	return nil
}

// assign gives each column the best of its candidates, each concept to one column of the scope: the one it suits best.
func (g *guesser) assign(s *scope, own map[*column][]candidate) {
	type claim struct {
		c    *column
		cand candidate
		rank int
	}
	var claims []claim
	for _, c := range s.columns {
		for i, cand := range own[c] {
			if i > 0 && cand.score < own[c][0].score-0.35 {
				break
			}
			claims = append(claims, claim{c, cand, i})
		}
	}
	slices.SortStableFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(b.cand.score, a.cand.score), cmp.Compare(a.c.at, b.c.at))
	})
	taken := map[string]*column{}
	done := map[*column]bool{}
	for _, cl := range claims {
		if done[cl.c] || taken[cl.cand.name] != nil {
			continue
		}
		done[cl.c] = true
		c, list := cl.c, own[cl.c]
		next := 0.0
		for i := cl.rank + 1; i < len(list); i++ {
			if taken[list[i].name] == nil {
				next = list[i].score
				break
			}
		}
		if cl.cand.score < certain || next > 0 && cl.cand.score-next < margin && !sameFamily(list, cl.rank) {
			c.rivals = namesOf(list)
			continue
		}
		if cl.rank > 0 && cl.cand.score < doubted {
			c.rivals = namesOf(list)
			continue
		}
		taken[cl.cand.name] = c
		c.concept, c.score = cl.cand.concept, cl.cand.score
		c.doubt = cl.cand.score < doubted || c.present == 0 && g.told[c] == nil
	}
	for _, c := range s.columns {
		if c.concept == nil && c.rivals == nil {
			c.rivals = namesOf(own[c])
		}
	}
}

// sameFamily reports whether the runner-up is the other half of the same pair, such as a code and its name.
func sameFamily(list []candidate, rank int) bool {
	if rank+1 >= len(list) {
		return true
	}
	a, _, _ := strings.Cut(list[rank].name, ".")
	b, _, _ := strings.Cut(list[rank+1].name, ".")
	return a == b
}

func namesOf(list []candidate) []string {
	var out []string
	for i, c := range list {
		if i == 3 {
			break
		}
		out = append(out, c.name)
	}
	return out
}

// profileAll settles the profiles of a scope and those inside it.
func profileAll(s *scope) {
	for _, c := range s.columns {
		c.rows = s.rows
		c.look(theDates)
	}
	for _, k := range s.kids {
		profileAll(k)
	}
}
