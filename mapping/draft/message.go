package draft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/record"
	"github.com/yilian/yilian/mapping/residentid"
)

// messageFacts are what HL7 v2 messages say about their sender's names and numbers.
type messageFacts struct {
	types       map[string]int
	authorities map[string]map[string]int     // authority → identifier name → times
	systems     map[string]*codeTable         // coding system → its codes
	several     map[string]int                // names of tables, and how many coding systems have one
	bare        map[string]int                // fields with local codes and no coding system
	segments    map[string]map[string]*column // Z segment → field → values
}

// messages gathers those facts.
func (d *drafter) messages() {
	if len(d.samples.messages) == 0 {
		return
	}
	f := &messageFacts{types: map[string]int{}, authorities: map[string]map[string]int{}, systems: map[string]*codeTable{}, bare: map[string]int{},
		segments: map[string]map[string]*column{}}
	d.facts = f
	for _, m := range d.samples.messages {
		f.types[shortType(m.rec.Type)]++
		d.segment(m.rec.Root)
	}
	d.unserved()
	for _, name := range sortedKeys(f.segments) {
		fields := f.segments[name]
		for _, field := range sortedKeys(fields) {
			c := fields[field]
			c.look(theDates)
			c.rows = max(c.present+c.empty, c.present)
			d.out.Asked++
			d.ask(name+": "+field, d.shape(c), text{"A segment of the institution's own: what does the field say? No built-in map reads it.", "医院自定义段:该字段是什么含义?内置映射不读取。"})
		}
	}
	for _, field := range sortedKeys(f.bare) {
		d.ask(field, d.say(text{"%d codes without a coding system", "%d个代码没有编码系统名"}, f.bare[field]), text{"Which table do they belong to? Lay a map over the built-in one with table: for this field.", "属于哪个字典?可在自有映射中用table:指定。"})
	}
}

func shortType(t string) string {
	if i := strings.IndexByte(t, '^'); i >= 0 {
		if j := strings.IndexByte(t[i+1:], '^'); j >= 0 {
			return t[:i+1+j]
		}
	}
	return t
}

// segment walks the groups and segments of a message.
func (d *drafter) segment(n *record.Node) {
	for _, k := range n.Kids() {
		switch k.Kind() {
		case record.Group:
			d.segment(k)
		case record.Sequence:
			d.fields(k)
		}
	}
}

func (d *drafter) fields(s *record.Node) {
	switch name := s.Name(); {
	case strings.HasPrefix(name, "Z"):
		d.zSegment(s)
	case name == "PID":
		for _, id := range s.At(3).Repetitions() {
			d.patientNumber(id)
		}
	case name == "PV1":
		d.authority(s.At(19).At(4), "visit")
	case name == "ORC", name == "OBR":
		d.authority(s.At(2).At(2), "order")
		d.authority(s.At(3).At(2), "report")
		if name == "OBR" {
			d.coded(s.At(4), "OBR-4", orderItemTable)
		}
	case name == "OBX":
		d.coded(s.At(3), "OBX-3", labItemTable)
	case name == "DG1":
		d.coded(s.At(3), "DG1-3", dxTable)
	case name == "AL1":
		d.coded(s.At(3), "AL1-3", allergenTable)
	case name == "RXO", name == "RXE":
		d.coded(s.At(map[string]int{"RXO": 1, "RXE": 2}[name]), name, drugTable)
	}
}

// patientNumber notes whose numbers an authority gives out: by the number's type, or by its check character.
func (d *drafter) patientNumber(id *record.Node) {
	name := "patient"
	switch typ := id.At(5).Text(); {
	case typ == "NI", residentid.Parse(id.At(1).Text()).Valid:
		name = "resident-id"
	case typ == "HC":
		name = "health-card"
	case typ == "PPN":
		name = "passport"
	}
	d.authority(id.At(4), name)
}

func (d *drafter) authority(n *record.Node, name string) {
	text := n.At(1).Text()
	if n != nil && n.Kind() == record.Leaf {
		text = n.Text()
	}
	if text = strings.TrimSpace(text); text == "" || len(text) > 100 || !printable(text) || len(d.facts.authorities) > 200 && d.facts.authorities[text] == nil {
		return
	}
	if d.facts.authorities[text] == nil {
		d.facts.authorities[text] = map[string]int{}
	}
	d.facts.authorities[text][name]++
}

// coded notes the codes of a field by the name of their coding system.
func (d *drafter) coded(n *record.Node, field string, spec tableSpec) {
	for _, rep := range n.Repetitions() {
		code, display, system := codeKey(rep.At(1).Text()), rep.At(2).Text(), strings.TrimSpace(rep.At(3).Text())
		if code == "" {
			continue
		}
		if system == "" {
			d.facts.bare[field]++
			continue
		}
		if _, known := codes.CodingSystem(system); known || len(system) > 60 || !printable(system) {
			continue
		}
		t := d.facts.systems[system]
		if t == nil {
			if len(d.facts.systems) >= 50 {
				continue
			}
			t = &codeTable{spec: spec, codes: map[string]*codeRow{}}
			d.facts.systems[system] = t
		}
		if spec.icd {
			t.spec = spec
		}
		t.row(code, 1, d.lim.MaxCodes)
		if r := t.codes[code]; r != nil && display != "" && len(r.displays) < 20 {
			r.displays[strings.Join(strings.Fields(oneLine(display)), " ")]++
		}
	}
}

func (d *drafter) zSegment(s *record.Node) {
	fields := d.facts.segments[s.Name()]
	if fields == nil {
		if len(d.facts.segments) >= 50 {
			return
		}
		fields = map[string]*column{}
		d.facts.segments[s.Name()] = fields
	}
	for i, f := range s.Kids() {
		if f.State() == record.Absent || f.State() == record.Empty {
			continue
		}
		name := fmt.Sprintf("%s-%d", s.Name(), i+1)
		c := fields[name]
		if c == nil {
			if !d.samples.left.column() {
				return
			}
			c = &column{scope: &scope{name: s.Name()}, steps: []string{name}}
			c.values = map[string]int{}
			fields[name] = c
		}
		d.samples.count(c, f, nil)
	}
}

// unserved asks about message types for which there is nothing but the map for everything.
func (d *drafter) unserved() {
	alone := Draft{Files: []mapping.File{fileOf("institution.yaml", "format: 1\nid: draft\nname: draft\nsources: {messages: {format: hl7v2, base: true}}\n")}}
	inst, err := alone.Load()
	if err != nil {
		return
	}
	asked := map[string]bool{}
	for _, m := range d.samples.messages {
		typ := shortType(m.rec.Type)
		if asked[typ] {
			continue
		}
		asked[typ] = true
		if found, ok := inst.Route(m.rec); !ok || slices.Contains(found.Messages(), "*") {
			d.ask(typ, d.say(text{"%d messages", "%d条消息"}, d.facts.types[typ]), text{"No built-in map is for this type: only what every message has is read.", "没有专门的内置映射,只读取各类消息共有的内容。"})
		}
	}
}

// messageParts writes authorities and coding systems into institution.yaml.
func (d *drafter) messageParts(b *strings.Builder) {
	if d.facts == nil {
		return
	}
	if len(d.facts.authorities) > 0 {
		b.WriteString("authorities:\n")
	}
	for _, a := range sortedKeys(d.facts.authorities) {
		names := sortedKeys(d.facts.authorities[a])
		to, doubt := names[0], ""
		if len(names) > 1 {
			if slices.Contains(names, "resident-id") || slices.Contains(names, "health-card") {
				doubt = strings.Join(names, ", ")
				d.ask("institution.yaml: authorities: "+a, doubt, text{"One authority gives out numbers of several kinds. Whose is it?", "同一发号机构有多种号码,它是谁?"})
			}
			to = "institution"
			if !slices.Contains(names, "patient") && !slices.Contains(names, "visit") {
				to = names[len(names)-1]
			}
		}
		line := fmt.Sprintf("  %s: %s", scalar(a), to)
		if doubt != "" {
			line += " # ? " + doubt
		}
		b.WriteString(line + "\n")
	}
	if len(d.facts.systems) == 0 {
		return
	}
	b.WriteString("systems:\n")
	used := map[string]bool{}
	d.facts.share()
	for _, t := range d.codes {
		used[t.spec.name] = true
	}
	for _, name := range sortedKeys(d.facts.systems) {
		t := d.facts.systems[name]
		if d.facts.shared(t.spec.name) {
			t.spec.name += "-" + slug(name)
		}
		base := t.spec.name
		for n := 2; used[t.spec.name]; n++ {
			t.spec.name = fmt.Sprintf("%s-%d", base, n)
		}
		used[t.spec.name] = true
		fmt.Fprintf(b, "  %s: %s\n", scalar(name), t.spec.name)
		t.spec.title += " " + name
		d.writeTable(t)
	}
}

func (f *messageFacts) share() {
	f.several = map[string]int{}
	for _, t := range f.systems {
		f.several[t.spec.name]++
	}
}

func (f *messageFacts) shared(name string) bool { return f.several[name] > 1 }

// slug makes a name of small letters, digits and hyphens.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if out := strings.Trim(b.String(), "-"); out != "" {
		return out
	}
	return "local"
}
