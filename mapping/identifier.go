package mapping

import (
	"slices"
	"strings"

	"github.com/yilian/yilian/mapping/internal/syntax"
)

// identifierSystem is one of an institution's identifier systems, by the name that maps use.
type identifierSystem struct {
	name   string
	system string
	typ    string // code of v2-0203, "" for none
	check  string // "resident-id", "organization-id" or ""
}

// national are the identifiers known everywhere; their systems are those of the National Health Commission's documents.
var national = []struct {
	identifierSystem
	aliases []string
}{
	{identifierSystem{"resident-id", "urn:oid:2.16.156.10011.1.3", "NI", "resident-id"},
		[]string{"urn:oid:2.16.840.1.113883.2.23.1.19.1", "urn:oid:2.16.840.1.113883.2.23.1.9.1"}},
	{identifierSystem{"health-card", "urn:oid:2.16.156.10011.1.19", "HC", ""}, nil},
	{identifierSystem{"health-record", "urn:oid:2.16.156.10011.1.2", "", ""}, nil},
	{identifierSystem{"passport", "http://hl7.org/fhir/sid/passport-CHN", "PPN", ""}, nil},
	{identifierSystem{"organization", "urn:oid:2.16.156.10011.1.5", "", "organization-id"}, nil},
}

// local are the identifiers that each institution gives out itself.
var local = []identifierSystem{
	{name: "patient", typ: "MR"}, {name: "outpatient-no", typ: "VN"}, {name: "inpatient-no", typ: "VN"}, {name: "visit", typ: "VN"},
	{name: "order", typ: "PLAC"}, {name: "report", typ: "FILL"}, {name: "specimen"}, {name: "prescription"}, {name: "referral"},
	{name: "staff", typ: "EI"}, {name: "department"},
}

var identifierChecks = []string{"resident-id", "organization-id"}

// LocalSystem returns the URI of the identifiers that an institution gives out under a name.
func LocalSystem(alliance, institution, name string) string {
	return alliance + "/fhir/institution/" + institution + "/" + name
}

// identifiers reads §1's identifiers: over what is known without being declared.
func (l *loader) identifiers(inst *Institution, n *syntax.Node) {
	inst.identifiers = map[string]*identifierSystem{}
	inst.aliases = map[string]string{}
	for _, d := range national {
		s := d.identifierSystem
		inst.identifiers[s.name] = &s
		for _, a := range d.aliases {
			inst.aliases[a] = s.system
		}
	}
	for _, s := range local {
		s.system = LocalSystem(inst.alliance, inst.id, s.name)
		inst.identifiers[s.name] = &s
	}
	if n == nil || !l.mapping(n) {
		return
	}
	for _, p := range n.Pairs {
		if l.name(p.Key) == "" || !l.keys(p.Value, "identifier") {
			continue
		}
		if strings.Contains(p.Key.Text, "/") {
			l.errorf(p.Key.Position, "identifier %q; a name of another institution's system is not declared here", p.Key.Text)
			continue
		}
		s := &identifierSystem{name: p.Key.Text}
		known := inst.identifiers[s.name]
		if known != nil {
			*s = *known
		}
		v := p.Value
		if t := v.Get("type"); t != nil {
			s.typ = l.text(t, "an identifier type such as MR")
			if cs := l.defs.CodeSystem(identifierTypes); s.typ != "" && cs != nil && cs.Complete {
				if _, ok := cs.Lookup(s.typ); !ok {
					l.warnf(t.Position, "identifier type %q is not in HL7 table 0203", s.typ)
				}
			}
		}
		if c := v.Get("check"); c != nil {
			s.check = l.choice(c, "check", identifierChecks...)
		}
		uri, isLocal := v.Get("system"), l.boolean(v.Get("local"))
		switch {
		case uri != nil && isLocal:
			l.errorf(v.Key("local").Position, "both system and local; want one of them")
		case uri != nil:
			s.system = l.uri(uri)
		case isLocal:
			s.system = LocalSystem(inst.alliance, inst.id, s.name)
		case s.system == "":
			l.errorf(p.Key.Position, "identifier %q has neither system nor local: true", s.name)
		}
		if known != nil && known.system != s.system && s.system != "" {
			inst.aliases[known.system] = s.system
			for alias, to := range inst.aliases {
				if to == known.system {
					inst.aliases[alias] = s.system
				}
			}
			delete(inst.aliases, s.system)
		}
		for _, a := range v.Get("aliases").List() {
			if uri := l.uri(a); uri != "" && uri != s.system {
				inst.aliases[uri] = s.system
			}
		}
		inst.identifiers[s.name] = s
	}
}

const identifierTypes = "http://terminology.hl7.org/CodeSystem/v2-0203"

// identifierNamed returns the system that a map calls name: one of the institution's, or "other/name" of another.
func (inst *Institution) identifierNamed(name string) *identifierSystem {
	if s := inst.identifiers[name]; s != nil {
		return s
	}
	if institution, rest, ok := strings.Cut(name, "/"); ok && institutionID(institution) && rest != "" && !strings.Contains(rest, "/") {
		return inst.identifierOf(institution, rest)
	}
	return nil
}

// identifierOf returns the local system of that name at another institution.
func (inst *Institution) identifierOf(institution, name string) *identifierSystem {
	s := &identifierSystem{name: institution + "/" + name, system: LocalSystem(inst.alliance, institution, name)}
	if institution == inst.id {
		if own := inst.identifiers[name]; own != nil {
			return own
		}
	}
	for _, k := range local {
		if k.name == name {
			s.typ = k.typ
		}
	}
	return s
}

// identifierTyped returns the only declared system with that type code, nil when there is none or a choice.
func (inst *Institution) identifierTyped(code string) *identifierSystem { return inst.byType[code] }

// identifierIn returns the identifier system with that URI.
func (inst *Institution) identifierIn(uri string) *identifierSystem { return inst.bySystem[uri] }

func (inst *Institution) indexIdentifiers() {
	inst.byType, inst.bySystem = map[string]*identifierSystem{}, map[string]*identifierSystem{}
	twice := map[string]bool{}
	for _, name := range inst.identifierNames() {
		s := inst.identifiers[name]
		inst.bySystem[s.system] = s
		if s.typ == "" {
			continue
		}
		if inst.byType[s.typ] != nil {
			twice[s.typ] = true
		}
		inst.byType[s.typ] = s
	}
	for t := range twice {
		delete(inst.byType, t)
	}
}

func (inst *Institution) identifierNames() []string {
	var names []string
	for n := range inst.identifiers {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Canonical returns the system under which the alliance keeps identifiers of the given one: a declared alias is replaced.
func (inst *Institution) Canonical(system string) string {
	if to, ok := inst.aliases[system]; ok {
		return to
	}
	return system
}

// Aliases returns every known alias of an identifier system with the system it stands for. The map belongs to the caller.
func (inst *Institution) Aliases() map[string]string {
	out := make(map[string]string, len(inst.aliases))
	for a, s := range inst.aliases {
		out[a] = s
	}
	return out
}
