package mapping

import (
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/datetime"
	"github.com/yilian/yilian/mapping/fold"
	"github.com/yilian/yilian/mapping/record"
)

// stamp reads version:. A record without a time of its own is as new as its arrival.
func (r *run) stamp() Stamp {
	var s Stamp
	if r.m.time != nil {
		v := r.m.time.read(r, r.rec.Root)
		if v.present() {
			d, err := datetime.Parse(v.text, r.inst.dates)
			if err != nil {
				r.issue(fhir.Warning, fhir.TypeValue, "version-time", "", v.node, "the record's version has no readable time: "+err.Error())
			} else if t, ok := d.Time(); ok {
				s.Time = t.UnixMicro()
			}
		}
	}
	if s.Time == 0 && !r.o.Received.IsZero() {
		s.Time = r.o.Received.UnixMicro()
	}
	if r.m.seq != nil {
		if v := r.m.seq.read(r, r.rec.Root); v.present() {
			n, err := strconv.ParseInt(strings.TrimSpace(fold.Text(v.text)), 10, 64)
			if err != nil {
				r.issue(fhir.Warning, fhir.TypeValue, "version-sequence", "", v.node, "the record's sequence is not a whole number")
			}
			s.Sequence = n
		}
	}
	return s
}

// before prepares to read a record's head without mapping it.
func (inst *Institution) before(rec *record.Record) *run {
	m, ok := inst.Route(rec)
	if !ok || !m.ready() {
		return nil
	}
	return inst.begin(m, rec, RunOptions{})
}

// Stamp returns how new a record is; the zero Stamp when it does not say or no map is for it.
func (inst *Institution) Stamp(rec *record.Record) Stamp {
	r := inst.before(rec)
	if r == nil {
		return Stamp{}
	}
	return r.res.Stamp
}

// Lanes returns the values by which records keep their order: records that share one are worked on one after the other.
// None means that the record has no order to keep.
func (inst *Institution) Lanes(rec *record.Record) []string {
	r := inst.before(rec)
	if r == nil {
		return nil
	}
	lane := r.m.lane
	if lane == nil {
		lane = r.m.patientKey()
	}
	var out []string
	seen := map[string]bool{}
	for i := range lane {
		lane[i].each(r, rec.Root, func(v value) bool {
			text := fold.Text(v.text)
			if !v.present() || text == "" || placeholder(text) || seen[text] || len(text) > r.inst.lim.MaxText {
				return true
			}
			seen[text] = true
			out = append(out, text)
			return len(out) < r.inst.lim.MaxLanes
		})
		if len(out) >= r.inst.lim.MaxLanes {
			break
		}
	}
	return out
}

// patientKey is what a map without lane: orders by: the key of its first Patient.
func (m *Map) patientKey() []operand {
	for _, rule := range m.rules {
		if rule.typ == "Patient" && rule.each == nil && len(rule.withs) == 0 {
			return rule.key
		}
	}
	return nil
}

// RowKey returns the key under which a table row is skipped when it has not changed, with the table in front; "" when the map
// does not say one or the row has none.
func (inst *Institution) RowKey(rec *record.Record) string {
	r := inst.before(rec)
	if r == nil || len(r.m.row) == 0 {
		return ""
	}
	b := appendPart(nil, rec.Type)
	some := false
	for i := range r.m.row {
		v := r.m.row[i].read(r, rec.Root)
		some = some || v.present()
		b = appendPart(b, fold.Text(v.text))
	}
	if !some {
		return ""
	}
	return string(b)
}
