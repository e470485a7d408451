package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/internal/syntax"
)

// Load reads and checks an institution's folder: institution.yaml, maps/*.yaml, codes/*.csv. What is wrong with it is an
// *Error with all findings; any other error means that the folder could not be read. Load changes nothing but what it returns.
func Load(fsys fs.FS, o Options) (*Institution, error) {
	l := &loader{fsys: fsys, o: o, lim: o.Limits.withDefaults(), defs: o.Definitions, files: map[string]*source{}}
	if l.defs == nil {
		l.defs = definitions.R4()
	}
	inst, err := l.folder()
	if err != nil {
		return nil, fmt.Errorf("load maps: %w", err)
	}
	errs, warnings := split(sortFindings(l.findings))
	if len(errs) > 0 {
		return nil, &Error{Findings: errs}
	}
	inst.warnings = warnings
	return inst, nil
}

func split(all []Finding) (errs, warnings []Finding) {
	for _, f := range all {
		if f.Warning {
			warnings = append(warnings, f)
		} else {
			errs = append(errs, f)
		}
	}
	return errs, warnings
}

// loader is the state of one Load.
type loader struct {
	fsys     fs.FS
	o        Options
	lim      Limits
	defs     *definitions.Definitions
	findings []Finding
	files    map[string]*source // maps and libraries by name: "lis-report", "base/adt"
	builtin  []string           // names of the built-in ones, sorted
	own      []string           // names of the folder's own, in file order
	count    int
	programs map[string]*program // expressions, by text and the names they use
	lazy     sync.Mutex          // held while a map is compiled after Load
}

// source is a map or library as read.
type source struct {
	name    string
	file    string
	root    *syntax.Node
	library bool
	builtin bool
	hash    string
}

func (l *loader) errorf(at syntax.Position, format string, args ...any) {
	l.report(Finding{File: at.File, Line: at.Line, Column: at.Column, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) warnf(at syntax.Position, format string, args ...any) {
	l.report(Finding{File: at.File, Line: at.Line, Column: at.Column, Warning: true, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) report(f Finding) {
	switch {
	case slices.Contains(l.findings, f): // a shape is checked wherever it is used
	case len(l.findings) < l.lim.MaxFindings:
		l.findings = append(l.findings, f)
	case len(l.findings) == l.lim.MaxFindings:
		l.findings = append(l.findings, Finding{File: f.File, Text: fmt.Sprintf("more than %d findings; the rest is not listed", l.lim.MaxFindings)})
	}
}

func (l *loader) folder() (*Institution, error) {
	root, err := l.yaml(l.fsys, "institution.yaml", "institution.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		l.errorf(syntax.Position{File: "institution.yaml"}, "the file is missing; want institution.yaml in the folder")
		return &Institution{}, nil
	} else if err != nil {
		return nil, err
	}
	inst := l.institution(root)
	if err := l.tables(inst); err != nil {
		return nil, err
	}
	inst.hash = folderHash(inst, root)
	l.systems(inst, root)
	if err := l.sources(inst); err != nil {
		return nil, err
	}
	l.maps(inst)
	return inst, nil
}

// folderHash is a hash of what every map of the folder depends on: institution.yaml and the code tables.
func folderHash(inst *Institution, root *syntax.Node) string {
	sum := sha256.New()
	if root != nil {
		hashNode(sum, root)
	}
	for _, name := range slices.Sorted(maps.Keys(inst.tables)) {
		sum.Write([]byte(name + " " + inst.tables[name].Hash()))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// yaml reads one file; a mistake in it becomes a finding and a nil tree.
func (l *loader) yaml(fsys fs.FS, name, shown string) (*syntax.Node, error) {
	data, err := l.read(fsys, name, shown, l.lim.MaxFile)
	if err != nil || data == nil {
		return nil, err
	}
	root, err := syntax.Parse(shown, data, syntax.Limits{Bytes: l.lim.MaxFile, Depth: l.lim.MaxDepth, Values: l.lim.MaxYAML})
	var se *syntax.Error
	if errors.As(err, &se) {
		l.errorf(se.Position, "%s", se.Text)
		return nil, nil
	}
	return root, err
}

func (l *loader) read(fsys fs.FS, name, shown string, limit int) ([]byte, error) {
	if l.count++; l.count > l.lim.MaxFiles {
		if l.count == l.lim.MaxFiles+1 {
			l.errorf(syntax.Position{File: shown}, "more than %d files in the folder", l.lim.MaxFiles)
		}
		return nil, nil
	}
	if info, err := fs.Stat(fsys, name); err != nil {
		return nil, err
	} else if info.Size() > int64(limit) {
		l.errorf(syntax.Position{File: shown, Line: 1, Column: 1}, "the file has more than %d bytes", limit)
		return nil, nil
	}
	return fs.ReadFile(fsys, name)
}

func (l *loader) tables(inst *Institution) error {
	names, err := fs.Glob(l.fsys, "codes/*.csv")
	if err != nil {
		return err
	}
	inst.tables = map[string]*codes.Table{}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".csv")
		data, err := l.read(l.fsys, file, file, codes.MaxTableBytes)
		if err != nil {
			return err
		}
		if data == nil {
			continue
		}
		t, problems, err := codes.ParseTable(name, strings.NewReader(string(data)),
			codes.TableOptions{File: file, Source: codes.LocalSystem(inst.alliance, inst.id, name)})
		if err != nil {
			return err
		}
		for _, p := range problems {
			l.errorf(syntax.Position{File: p.File, Line: p.Line, Column: p.Column}, "%s", p.Message)
		}
		if t == nil {
			t = brokenTable // its mistakes are told; what refers to it is right
		}
		inst.tables[name] = t
	}
	return nil
}

var brokenTable = &codes.Table{}

// sources reads all maps and libraries, the folder's own and the built-in ones.
func (l *loader) sources(inst *Institution) error {
	own, err := fs.Glob(l.fsys, "maps/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range own {
		root, err := l.yaml(l.fsys, file, file)
		if err != nil {
			return err
		}
		if root != nil {
			l.source(root, file, "")
		}
	}
	if l.o.Base == nil {
		return nil
	}
	base, err := fs.Glob(l.o.Base, "*.yaml")
	if err != nil {
		return err
	}
	for _, file := range base {
		root, err := l.yaml(l.o.Base, file, "base/"+file)
		if err != nil {
			return err
		}
		if root != nil {
			l.source(root, "base/"+file, "base/")
		}
	}
	return nil
}

func (l *loader) source(root *syntax.Node, file, prefix string) {
	if root.Kind != syntax.Map {
		l.errorf(root.Position, "want a map: format, map, reads, resources")
		return
	}
	s := &source{file: file, root: root, builtin: prefix != ""}
	kind, name := "map", root.Get("map")
	if lib := root.Get("library"); lib != nil {
		if name != nil {
			l.errorf(root.Key("library").Position, "both map and library; want one of them")
			return
		}
		kind, name, s.library = "library", lib, true
	}
	l.keys(root, kind)
	l.format(root)
	if name == nil {
		l.errorf(root.Position, "neither map nor library; want the map's name as map: NAME")
		return
	}
	text := l.name(name)
	if text == "" {
		return
	}
	if prefix != "" {
		text = prefix + strings.TrimPrefix(text, prefix)
	}
	if prior := l.files[text]; prior != nil {
		l.errorf(name.Position, "a map or library %q is in %s already", text, prior.file)
		return
	}
	sum := sha256.New()
	hashNode(sum, root)
	s.name, s.hash = text, hex.EncodeToString(sum.Sum(nil))
	l.files[text] = s
	if s.builtin {
		l.builtin = append(l.builtin, text)
	} else {
		l.own = append(l.own, text)
	}
}

// keys reports keys that the grammar does not have.
func (l *loader) keys(n *syntax.Node, kind string) bool {
	if n.Kind != syntax.Map {
		l.errorf(n.Position, "%s where a mapping was expected", n.Kind)
		return false
	}
	for _, p := range n.Pairs {
		if !slices.Contains(grammar[kind], p.Key.Text) {
			l.errorf(p.Key.Position, "unknown key %q; %s", p.Key.Text, oneOf(p.Key.Text, grammar[kind]))
		}
	}
	return true
}

func (l *loader) format(n *syntax.Node) {
	f := n.Get("format")
	switch {
	case f == nil:
		l.errorf(n.Position, "no format; want format: 1")
	case f.Text != "1":
		l.errorf(f.Position, "format %q; this version reads format: 1", f.Text)
	}
}

// text returns the text of a scalar, "" after a finding.
func (l *loader) text(n *syntax.Node, what string) string {
	switch {
	case n == nil:
		return ""
	case !n.Scalar() || n.Kind == syntax.Null:
		l.errorf(n.Position, "%s where %s was expected", n.Kind, what)
		return ""
	case strings.TrimSpace(n.Text) == "":
		l.errorf(n.Position, "an empty text where %s was expected", what)
		return ""
	}
	return n.Text
}

func (l *loader) boolean(n *syntax.Node) bool {
	if n == nil {
		return false
	}
	if n.Kind != syntax.Bool {
		l.errorf(n.Position, "%s where true or false was expected", n.Kind)
	}
	return n.Text == "true"
}

// choice returns the scalar n when it is one of the words, "" after a finding or when n is nil.
func (l *loader) choice(n *syntax.Node, what string, words ...string) string {
	t := l.text(n, what)
	if t != "" && !slices.Contains(words, t) {
		l.errorf(n.Position, "unknown %s %q; %s", what, t, oneOf(t, words))
		return ""
	}
	return t
}

// name returns a name of the grammar: letters, digits, hyphen, underscore, point, slash.
func (l *loader) name(n *syntax.Node) string {
	t := l.text(n, "a name")
	for i := range len(t) {
		c := t[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || i > 0 && strings.IndexByte("-_./", c) >= 0 {
			continue
		}
		l.errorf(n.Position, "name %q; want letters, digits, - and _", t)
		return ""
	}
	if len(t) > 64 {
		l.errorf(n.Position, "a name of more than 64 letters")
		return ""
	}
	return t
}
