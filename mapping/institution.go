package mapping

import (
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/datetime"
	"github.com/yilian/yilian/mapping/internal/syntax"
	"github.com/yilian/yilian/mapping/record"
)

// Institution is a member's folder, loaded and checked. It is immutable and safe for any number of goroutines.
type Institution struct {
	id, name, level string
	alliance        string
	charset         string
	dates           datetime.Options
	results         codes.ResultOptions
	identifiers     map[string]*identifierSystem
	byType          map[string]*identifierSystem
	bySystem        map[string]*identifierSystem
	aliases         map[string]string
	units           map[string]string // its own spellings → UCUM
	authorities     map[string]*identifierSystem
	codings         map[string]coding // coding-system names of the records
	tables          map[string]*codes.Table
	sources         []Source
	organization    *fhir.Node
	maps            []*Map // own before built-in, each in the order of names
	lim             Limits
	defs            *definitions.Definitions
	warnings        []Finding
	hash            string
}

// coding is what a coding-system name of a record stands for: a table, or a URI.
type coding struct {
	table *codes.Table
	uri   string
}

// Source is one way in which records of an institution arrive, as institution.yaml declares it.
type Source struct {
	Name      string
	Format    string // a format of package record
	Base      bool   // the built-in maps serve what no own map does
	Charset   string // "" for the institution's
	Delimiter rune   // of Table; 0 to find out
	Tables    []Table
	Ack       string // "received" (default) or "processed": when a sender of HL7 v2 is answered
}

// Table is a kind of file of a source of tables, or a kind of sheet of one of workbooks.
type Table struct {
	Name    string
	Pattern string // of file names, as path.Match
	Sheet   string // pattern of sheet names; "" for the first sheet
	Heading [2]int // first and last row of a workbook's heading, from 1; zero to find out
}

// ID returns the institution's id: owner, tag and part of every local system.
func (inst *Institution) ID() string { return inst.id }

// Name returns the institution's printed name.
func (inst *Institution) Name() string { return inst.name }

// Level returns the code of the institution's level in the alliance's table, "" when not given.
func (inst *Institution) Level() string { return inst.level }

// Charset returns what undeclared bytes are read as, "" when not given.
func (inst *Institution) Charset() string { return inst.charset }

// Zone returns the zone of every date without one.
func (inst *Institution) Zone() *time.Location { return inst.dates.Zone }

// Sources returns the declared sources in the order of the file. The caller must not change them.
func (inst *Institution) Sources() []Source { return inst.sources }

// Source returns the source of that name.
func (inst *Institution) Source(name string) (Source, bool) {
	for _, s := range inst.sources {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}

// Maps returns the maps: the institution's own, then the built-in ones it uses as they are.
func (inst *Institution) Maps() []*Map { return inst.maps }

// Warnings are the doubts about the folder that do not keep it from loading.
func (inst *Institution) Warnings() []Finding { return inst.warnings }

// Version is a hash of the whole folder and the built-in maps it uses, 16 hex digits.
func (inst *Institution) Version() string { return inst.hash }

// institutionID reports whether s can be the id of an institution: it becomes part of URIs and a FHIR id.
func institutionID(s string) bool {
	if s == "" || len(s) > 64 || s == "alliance" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && i > 0) {
			return false
		}
	}
	return true
}

func (l *loader) institution(n *syntax.Node) *Institution {
	inst := &Institution{lim: l.lim, alliance: DefaultAlliance, dates: datetime.Options{Zone: datetime.China()}, defs: l.defs}
	if l.o.Zone != nil {
		inst.dates.Zone = l.o.Zone
	}
	if l.o.Alliance != "" {
		inst.alliance = strings.TrimRight(l.o.Alliance, "/")
	}
	if n == nil {
		return inst
	}
	if !l.keys(n, "institution") {
		return inst
	}
	l.format(n)
	if id := n.Get("id"); id == nil {
		l.errorf(n.Position, "no id; want id: NAME, which becomes owner, tag and part of every local system")
	} else if inst.id = l.text(id, "the institution's id"); inst.id != "" && !institutionID(inst.id) {
		l.errorf(id.Position, "id %q; want at most 64 small letters, digits and hyphens, and not alliance", inst.id)
	}
	if name := n.Get("name"); name == nil {
		l.errorf(n.Position, "no name; want the institution's printed name")
	} else {
		inst.name = l.text(name, "the institution's name")
	}
	if v := n.Get("level"); v != nil {
		inst.level = l.text(v, "a code of the level table")
	}
	if v := n.Get("timezone"); v != nil {
		zone, err := datetime.Zone(l.text(v, "an offset such as +08:00"))
		if err != nil {
			l.errorf(v.Position, "timezone %q; want an offset such as \"+08:00\" or a name such as Asia/Shanghai", v.Text)
		} else {
			inst.dates.Zone = zone
		}
	}
	if v := n.Get("charset"); v != nil {
		inst.charset = l.charset(v)
	}
	l.settings(inst, n.Get("settings"))
	l.identifiers(inst, n.Get("identifiers"))
	inst.indexIdentifiers()
	l.authorities(inst, n.Get("authorities"))
	l.declareSources(inst, n.Get("sources"))
	inst.organization = l.organization(inst, n.Get("organization"))
	return inst
}

var charsets = []string{"GB18030", "GBK", "GB2312", "UTF-8", "Big5", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "US-ASCII"}

func (l *loader) charset(n *syntax.Node) string {
	t := l.text(n, "a charset")
	for _, c := range charsets {
		if strings.EqualFold(c, t) {
			return c
		}
	}
	if t != "" {
		l.errorf(n.Position, "unknown charset %q; %s", t, oneOf(t, charsets))
	}
	return ""
}

func (l *loader) settings(inst *Institution, n *syntax.Node) {
	if n == nil || !l.keys(n, "settings") {
		return
	}
	inst.dates.ZuluIsLocal = l.boolean(n.Get("zulu-is-local"))
	inst.dates.Keep1900 = l.boolean(n.Get("keep-1900"))
	if l.boolean(n.Get("midnight-is-date")) {
		inst.dates.MidnightIs = datetime.MidnightIsDate
	}
	switch l.choice(n.Get("numbers"), "reading of numbers", "digits", "excel", "excel-1904", "unix", "unix-ms") {
	case "excel":
		inst.dates.Numbers = datetime.ExcelSerial
	case "excel-1904":
		inst.dates.Numbers = datetime.Excel1904Serial
	case "unix":
		inst.dates.Numbers = datetime.UnixSeconds
	case "unix-ms":
		inst.dates.Numbers = datetime.UnixMillis
	}
	for _, v := range n.Get("no-date").List() {
		if t := l.text(v, "a text that means no date"); t != "" {
			inst.dates.None = append(inst.dates.None, t)
		}
	}
	if u := n.Get("units"); u != nil && l.mapping(u) {
		inst.units = map[string]string{}
		for _, p := range u.Pairs {
			code := l.text(p.Value, "a UCUM code such as 10*9/L")
			if known := codes.ParseUnit(code, codes.UnitOptions{}); code != "" && known.Code != code {
				l.errorf(p.Value.Position, "unit %q means %q, which is no UCUM code; want one such as 10*9/L", p.Key.Text, code)
			}
			inst.units[p.Key.Text] = code
		}
	}
	inst.results.DashIsNegative = l.boolean(n.Get("dash-is-negative"))
	if f := n.Get("flags"); f != nil && l.mapping(f) {
		inst.results.Flags.Own = map[string]string{}
		for _, p := range f.Pairs {
			code := ""
			if p.Value.Kind != syntax.Null {
				code = l.text(p.Value, "a code of v3-ObservationInterpretation such as H, or null for none")
				if cs := l.defs.CodeSystem(codes.Interpretation); code != "" && cs != nil {
					if _, ok := cs.Lookup(code); !ok {
						l.errorf(p.Value.Position, "flag %q means %q, which is no code of v3-ObservationInterpretation; want one such as H, L, N or POS", p.Key.Text, code)
					}
				}
			}
			inst.results.Flags.Own[p.Key.Text] = code
		}
	}
}

func (l *loader) authorities(inst *Institution, n *syntax.Node) {
	inst.authorities = map[string]*identifierSystem{}
	if n == nil || !l.mapping(n) {
		return
	}
	for _, p := range n.Pairs {
		name := l.text(p.Value, "an identifier name")
		if name == "" {
			continue
		}
		if name == ownInstitution {
			inst.authorities[p.Key.Text] = ownNumbers
			continue
		}
		s := inst.identifierNamed(name)
		if s == nil {
			l.errorf(p.Value.Position, "unknown identifier %q; %s", name, oneOf(name, append(inst.identifierNames(), ownInstitution)))
			continue
		}
		inst.authorities[p.Key.Text] = s
	}
}

// systems reads §1's systems, once the tables are known.
func (l *loader) systems(inst *Institution, root *syntax.Node) {
	inst.codings = map[string]coding{}
	n := root.Get("systems")
	if n == nil || !l.mapping(n) {
		return
	}
	for _, p := range n.Pairs {
		t := l.text(p.Value, "a code table or a URI")
		switch {
		case t == "":
		case isURI(t):
			inst.codings[p.Key.Text] = coding{uri: t}
		default:
			if table := l.table(inst, p.Value); table != nil {
				inst.codings[p.Key.Text] = coding{table: table}
			}
		}
	}
}

func (l *loader) declareSources(inst *Institution, n *syntax.Node) {
	if n == nil || !l.mapping(n) {
		return
	}
	for _, p := range n.Pairs {
		if l.name(p.Key) == "" || !l.keys(p.Value, "source") {
			continue
		}
		v := p.Value
		s := Source{Name: p.Key.Text, Base: l.boolean(v.Get("base"))}
		if f := v.Get("format"); f == nil {
			l.errorf(p.Key.Position, "source %q has no format; want hl7v2, csv, excel, json or xml", s.Name)
		} else {
			s.Format = l.choice(f, "format", record.HL7v2, record.Table, record.Excel, record.JSON, record.XML)
		}
		if c := v.Get("charset"); c != nil {
			s.Charset = l.charset(c)
		}
		if d := v.Get("delimiter"); d != nil {
			r := []rune(d.Text)
			if len(r) != 1 || r[0] == '"' || r[0] == '\n' || r[0] == '\r' {
				l.errorf(d.Position, "delimiter %q; want one character such as \",\" or \"\\t\"", d.Text)
			} else {
				s.Delimiter = r[0]
			}
		}
		s.Ack = l.choice(v.Get("ack"), "acknowledgement", "received", "processed")
		if t := v.Get("tables"); t != nil && l.mapping(t) {
			for _, tp := range t.Pairs {
				s.Tables = append(s.Tables, l.sourceTable(tp))
			}
		}
		if s.Format != "" && !record.Tabular(s.Format) {
			for _, k := range []string{"delimiter", "tables"} {
				if key := v.Key(k); key != nil {
					l.errorf(key.Position, "%s is for format: csv or excel only", k)
				}
			}
		}
		inst.sources = append(inst.sources, s)
	}
}

// sourceTable reads which files, and in workbooks which sheets and rows, a table is: a pattern of file names, or a mapping.
func (l *loader) sourceTable(p syntax.Pair) Table {
	t := Table{Name: p.Key.Text}
	file := p.Value
	if p.Value.Kind == syntax.Map {
		if !l.keys(p.Value, "table") {
			return t
		}
		if file = p.Value.Get("file"); file == nil {
			l.errorf(p.Key.Position, "table %q has no file; want a pattern of file names such as LIS_BG_*.csv", t.Name)
			return t
		}
		if s := p.Value.Get("sheet"); s != nil {
			t.Sheet = l.pattern(s, "a pattern of sheet names such as 门诊*")
		}
		if h := p.Value.Get("heading"); h != nil {
			t.Heading = l.rows(h)
		}
	}
	t.Pattern = l.pattern(file, "a pattern of file names such as LIS_BG_*.csv")
	return t
}

func (l *loader) pattern(n *syntax.Node, what string) string {
	pattern := l.text(n, what)
	if _, err := path.Match(pattern, "x"); err != nil {
		l.errorf(n.Position, "pattern %q; want one such as%s", pattern, what[strings.LastIndexByte(what, ' '):])
	}
	return pattern
}

// rows reads one row or a run of them: 3, or 3-4.
func (l *loader) rows(n *syntax.Node) (out [2]int) {
	first, last, run := strings.Cut(l.text(n, "a row or a run of rows such as 3-4"), "-")
	if !run {
		last = first
	}
	from, err := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if err != nil || err2 != nil || from < 1 || to < from || to > from+3 || to > 1000 {
		l.errorf(n.Position, "heading %q; want a row or a run of at most four rows such as 3-4", n.Text)
		return out
	}
	return [2]int{from, to}
}

func (l *loader) mapping(n *syntax.Node) bool {
	if n.Kind != syntax.Map {
		l.errorf(n.Position, "%s where a mapping was expected", n.Kind)
		return false
	}
	return true
}

func (l *loader) uri(n *syntax.Node) string {
	t := l.text(n, "a URI")
	if t != "" && !isURI(t) {
		l.errorf(n.Position, "%q is not a URI; want one such as urn:oid:2.16.156.10011.1.3 or https://…", t)
		return ""
	}
	return t
}

// isURI reports whether s is an absolute URI of the kinds that name systems.
func isURI(s string) bool {
	for _, scheme := range [...]string{"http://", "https://", "urn:"} {
		if strings.HasPrefix(s, scheme) && len(s) > len(scheme) {
			return !strings.ContainsAny(s, " \t\r\n<>\"")
		}
	}
	return false
}
