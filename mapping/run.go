package mapping

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"hash"
	"slices"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/fold"
	"github.com/yilian/yilian/mapping/record"
)

// ErrNoSalt is returned for a run without RunOptions.Salt.
var ErrNoSalt = errors.New("map record: no salt: ids could be guessed")

// run is the state of mapping one record. It is used by one goroutine.
type run struct {
	inst      *Institution
	m         *Map
	rec       *record.Record
	o         RunOptions
	cells     []value
	res       *Result
	mac       hash.Hash
	instances [][]*instance           // by rule
	nearby    []map[*record.Node]near // of rules that were referred to
	buffers   [][]product             // of the elements being made, by depth
	lists     [][]*record.Node        // lent by borrow
	depth     int
	env       map[string]any // of the expression being run
	nodes     int
	stepCount int
	stopped   bool // a limit was reached
	more      int  // issues beyond the limit
	steps     []Step
	origins   []record.Origin // read since the last step
	covered   *covering       // with RunOptions.Coverage
	resource  string          // being built, for the trace
	rule      string
}

// instance is one resource that a rule is going to make: its identity is known before its elements.
type instance struct {
	rule       *rule
	scope      *record.Node
	id         string
	identifier *fhir.Node
	identified bool
}

// Map translates one record by the map that is for it. Findings about the data are issues of the result, an error among
// them means that nothing of it may be written. The error is for breakage only.
func (inst *Institution) Map(rec *record.Record, o RunOptions) (*Result, error) {
	if len(o.Salt) == 0 {
		return nil, ErrNoSalt
	}
	m, ok := inst.Route(rec)
	if !ok {
		res := &Result{Issues: append([]fhir.Issue(nil), rec.Issues...)}
		res.Issues = append(res.Issues, fhir.Issue{Severity: fhir.Error, Code: fhir.TypeNotSupported, ID: "no-map",
			Text: "no map is for a record of this kind: " + describe(rec)})
		return res, nil
	}
	if !m.ready() {
		return &Result{Map: m.name, Version: m.version, Issues: []fhir.Issue{{Severity: fhir.Error, Code: fhir.TypeException, ID: "map-broken",
			Text: "the built-in map " + m.name + " has mistakes"}}}, nil
	}
	r := inst.begin(m, rec, o)
	r.mac = hmac.New(sha256.New, o.Salt)
	r.identify()
	r.need()
	r.build()
	r.finish()
	return r.res, nil
}

func describe(rec *record.Record) string {
	if rec.Type == "" {
		return rec.Format
	}
	return rec.Format + " " + rec.Type
}

// begin reads the values that the whole record shares.
func (inst *Institution) begin(m *Map, rec *record.Record, o RunOptions) *run {
	r := &run{inst: inst, m: m, rec: rec, o: o, cells: make([]value, m.slots),
		res: &Result{Map: m.name, Version: m.version, Issues: append([]fhir.Issue(nil), rec.Issues...)}}
	if o.Coverage {
		r.covered = newCovering(m)
	}
	for i := range m.lets {
		r.cells[m.lets[i].slot] = m.lets[i].eval(r, rec.Root)
	}
	r.res.Stamp = r.stamp()
	return r
}

// identify decides which resources there are, and their ids, so that rules may refer to what is made later.
func (r *run) identify() {
	r.instances = make([][]*instance, len(r.m.rules))
	count := 0
	for _, rule := range r.m.rules {
		seen := map[string]int{}
		r.rule = rule.name
		off := false
		add := func(scope *record.Node) bool {
			if !r.step() {
				return false
			}
			r.assign(rule.withs, scope)
			if off = rule.when != nil && !rule.when(r, scope); off {
				return true
			}
			i := &instance{rule: rule, scope: scope}
			if len(rule.key) > 0 {
				key, ok := r.key(rule, scope)
				switch {
				case ok:
					n := 0
					if rule.write == Replace {
						n = seen[string(key)]
						seen[string(key)]++
					}
					i.id = r.id(key, n)
				case rule.write != Reference:
					r.issue(fhir.Warning, fhir.TypeRequired, "key-missing", rule.typ, scope, "nothing is made by "+rule.name+": its key has no value")
					return true
				case rule.object.identifierElement() == nil:
					return true
				}
			}
			if count++; count > r.inst.lim.MaxResources {
				r.stop("too many resources: the limit is " + strconv.Itoa(r.inst.lim.MaxResources))
				return false
			}
			r.instances[rule.index] = append(r.instances[rule.index], i)
			return true
		}
		if r.covered != nil {
			uncounted := add
			add = func(scope *record.Node) bool {
				before := len(r.instances[rule.index])
				more := uncounted(scope)
				r.covered.fill(rule.field, len(r.instances[rule.index]) > before, off)
				return more
			}
		}
		if rule.each == nil {
			add(r.rec.Root)
			continue
		}
		rule.each.each(r, r.rec.Root, func(v value) bool {
			if v.node == nil || !v.present() {
				return true
			}
			return add(v.node)
		})
	}
}

// need refuses a record for which a required rule makes nothing.
func (r *run) need() {
	for _, rule := range r.m.rules {
		r.rule = rule.name
		if rule.needed && !slices.ContainsFunc(r.instances[rule.index], func(i *instance) bool { return i.id != "" || r.identifierOf(i) != nil }) {
			r.issue(fhir.Error, fhir.TypeRequired, "rule-required", rule.typ, r.rec.Root, "the record says nothing of which "+rule.name+" could be made, and is nothing without it")
		}
	}
}

// key is the canonical form of a rule's key: each part with its length in front. It reports false when no path of it has
// a value.
func (r *run) key(rule *rule, scope *record.Node) ([]byte, bool) {
	b := appendPart(nil, rule.typ)
	some := false
	for i := range rule.key {
		o := &rule.key[i]
		v := o.read(r, scope)
		text := ""
		if v.present() {
			text = fold.Text(v.text)
			some = some || text != "" && !o.constant()
		}
		b = appendPart(b, text)
	}
	return b, some
}

func (r *run) keyOf(typ string, key []operand, scope *record.Node) ([]byte, bool) {
	return r.key(&rule{typ: typ, key: key}, scope)
}

func appendPart(b []byte, text string) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// id makes the logical id of a key: 128 bits of an HMAC with the institution's salt, 26 letters and digits. The
// occurrence, from 0, tells equal keys of one record apart.
func (r *run) id(key []byte, occurrence int) string {
	r.mac.Reset()
	r.mac.Write(key)
	if occurrence > 0 {
		r.mac.Write([]byte("#" + strconv.Itoa(occurrence+1)))
	}
	var sum [sha256.Size]byte
	return idEncoding.EncodeToString(r.mac.Sum(sum[:0])[:16])
}

// build makes the elements of every instance.
func (r *run) build() {
	at := map[string]int{}
	for _, list := range r.instances {
		for _, i := range list {
			if r.stopped {
				return
			}
			r.assign(i.rule.withs, i.scope)
			r.resource, r.rule = i.rule.typ+"/"+i.id, i.rule.name
			res := r.buildOne(i)
			if res.ID == "" {
				r.res.Resources = append(r.res.Resources, res)
				continue
			}
			ref := res.Reference()
			if prior, ok := at[ref]; ok {
				r.join(&r.res.Resources[prior], &res)
				continue
			}
			at[ref] = len(r.res.Resources)
			r.res.Resources = append(r.res.Resources, res)
		}
	}
}

func (r *run) buildOne(i *instance) Resource {
	rule := i.rule
	tree := fhir.NewObject()
	tree.Set("resourceType", fhir.NewString(rule.typ))
	if i.id != "" {
		tree.Set("id", fhir.NewString(i.id))
	}
	res := Resource{Rule: rule.name, Type: rule.typ, ID: i.id, Write: rule.write, Tree: tree, kind: rule.kind, Origin: i.scope.Origin()}
	for _, e := range rule.object.elements {
		if e.decided(tree) {
			continue
		}
		products, oc := e.make(r, i.scope)
		switch {
		case len(products) > 0:
			e.put(tree, products)
			if e.withChange != nil && e.quiet(tree.Get(e.names[0])) {
				res.quiet = append(res.quiet, e.names[0])
			}
			if rule.write == Update {
				res.Cleared = append(append(res.Cleared, e.others...), e.besides...)
				res.keep(e.name, oc.silent)
			}
		case rule.write == Update && (oc.state == record.Delete || oc.state == record.Empty):
			res.Cleared = append(append(res.Cleared, e.names...), e.besides...)
		}
	}
	res.settle(rule)
	if rule.write == Reference {
		res.Identifier = r.identifierOf(i).Clone()
		return res
	}
	if missing := rule.object.missing(tree); missing != "" {
		r.issue(fhir.Error, fhir.TypeRequired, "element-required", rule.typ+"."+missing, i.scope, rule.typ+"."+missing+" is mandatory and has no value")
		r.noteUnfilled(rule.typ + "." + missing)
	}
	return res
}

// finish completes trace, coverage and the count of issues.
func (r *run) finish() {
	if r.o.Trace {
		r.res.Trace = r.steps
	}
	if r.more > 0 {
		r.res.Issues = append(r.res.Issues, fhir.Issue{Severity: fhir.Warning, Code: fhir.TypeTooCostly, ID: "too-many-issues",
			Text: strconv.Itoa(r.more) + " further issues are not listed"})
	}
	if r.o.Coverage {
		r.cover()
	}
}

// assign reads the values of with:.
func (r *run) assign(withs []assign, at *record.Node) {
	for i := range withs {
		r.cells[withs[i].slot] = withs[i].read(r, at)
	}
}

// said is what an empty or deleted value means to what is stored. An empty field of HL7 v2 means nothing.
func (r *run) said(s record.State) record.State {
	if s == record.Empty && r.rec.Format == record.HL7v2 {
		return record.Absent
	}
	return s
}

// step counts work; it reports false once the record has cost too much.
func (r *run) step() bool {
	if r.stepCount++; r.stepCount > r.inst.lim.MaxSteps && !r.stopped {
		r.stop("too much to do: the limit is " + strconv.Itoa(r.inst.lim.MaxSteps) + " rules run for one record")
	}
	return !r.stopped
}

// stop ends the run: what was made so far is not written.
func (r *run) stop(text string) {
	if r.stopped {
		return
	}
	r.stopped = true
	i := fhir.Issue{Severity: fhir.Error, Code: fhir.TypeTooCostly, ID: "limit", Text: text}
	r.noteIssue(&i, r.rule)
	r.res.Issues = append(r.res.Issues, i)
}

// fresh returns a copy of a literal for a tree of its own.
func (r *run) fresh(n *fhir.Node) *fhir.Node {
	r.count(1)
	return n.Clone()
}

func (r *run) count(n int) {
	if r.nodes += n; r.nodes > r.inst.lim.MaxNodes {
		r.stop("too many values: the limit is " + strconv.Itoa(r.inst.lim.MaxNodes))
	}
}

// issue adds a finding about the data at a node. Text never holds the data.
func (r *run) issue(s fhir.Severity, code fhir.IssueType, id, expression string, at *record.Node, text string) {
	if len(r.res.Issues) >= r.inst.lim.MaxIssues && s != fhir.Error && r.covered == nil {
		r.more++
		return
	}
	o := at.Origin()
	i := fhir.Issue{Severity: s, Code: code, ID: id, Expression: expression, Origin: o.Path, Line: o.Line, Column: o.Column, Text: text}
	for _, have := range r.res.Issues { // a shared value is read for every resource that refers to it
		if have == i {
			return
		}
	}
	r.noteIssue(&i, r.rule)
	if limit := r.inst.lim.MaxIssues; len(r.res.Issues) >= limit && s != fhir.Error || len(r.res.Issues) >= 2*limit {
		r.more++
		return
	}
	r.res.Issues = append(r.res.Issues, i)
}
