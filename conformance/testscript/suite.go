package testscript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Suite is scripts that are run together.
type Suite struct {
	Name    string
	Scripts []*Script
}

// Limits of what is loaded.
const (
	MaxScriptBytes = 4 << 20
	MaxScripts     = 2000
	MaxFiles       = 20_000 // looked at in a folder
)

// Loader reads suites. The zero value reads what the folder holds and nothing else.
type Loader struct {
	// Resolve finds a fixture or a CapabilityStatement that the suite's folder does not hold, by the reference the script
	// has; it returns fs.ErrNotExist for what it does not have. Nil for none.
	Resolve func(reference string) ([]byte, error)
}

// Load reads the suite of a file system that has this name: a script, or a folder, of which every TestScript is taken.
func Load(fsys fs.FS, name string) (*Suite, error) { return Loader{}.Load(fsys, name) }

// Load reads a suite. The error says that the file or folder cannot be read or has no script; a script that makes no
// sense is in the suite and reported when it is run.
func (l Loader) Load(fsys fs.FS, name string) (*Suite, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("load suite: %w", err)
	}
	suite := &Suite{Name: strings.TrimSuffix(path.Base(name), path.Ext(name))}
	files := []string{name}
	folder := "." // beyond which nothing is read
	if info.IsDir() {
		suite.Name = path.Base(name)
		folder = path.Clean(name)
		if files, err = scriptFiles(fsys, name); err != nil {
			return nil, fmt.Errorf("load suite: %w", err)
		}
	}
	for _, file := range files {
		s, err := l.script(fsys, folder, file)
		switch {
		case err != nil && !info.IsDir():
			return nil, fmt.Errorf("load suite: %w", err)
		case err != nil:
			s = &Script{File: file, err: err}
		case s == nil:
			continue
		}
		if len(suite.Scripts) == MaxScripts {
			return nil, fmt.Errorf("load suite: more than %d scripts", MaxScripts)
		}
		suite.Scripts = append(suite.Scripts, s)
	}
	if len(suite.Scripts) == 0 {
		return nil, fmt.Errorf("load suite: %s has no TestScript", name)
	}
	return suite, nil
}

// scriptFiles lists what may be scripts, in order of path.
func scriptFiles(fsys fs.FS, dir string) ([]string, error) {
	var files []string
	seen := 0
	err := fs.WalkDir(fsys, dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if seen++; seen > MaxFiles {
			return fmt.Errorf("more than %d files", MaxFiles)
		}
		if ext := path.Ext(p); d.Type().IsRegular() && (ext == ".json" || ext == ".xml") {
			files = append(files, p)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

// script reads a script and its fixtures; nil if the file holds something else. In a folder a file that cannot be read
// is reported only if it looks like a script.
func (l Loader) script(fsys fs.FS, folder, file string) (*Script, error) {
	raw, err := readLimited(fsys, file)
	if err != nil {
		return nil, err
	}
	n, err := decode(bytes.Clone(raw), extType(file), MaxScriptBytes)
	if err != nil {
		if !bytes.Contains(raw, []byte("TestScript")) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if n.ResourceType() != "TestScript" {
		return nil, nil
	}
	s := readScript(file, n)
	for i := range s.fixtures {
		l.fixture(fsys, folder, s, &s.fixtures[i])
	}
	for i := range s.capabilities {
		c := &s.capabilities[i]
		if c.canonical == "" {
			continue
		}
		if raw, isXML, err := l.find(fsys, folder, file, c.canonical); err == nil {
			n, err := decode(raw, formType(isXML), MaxScriptBytes)
			if canonical, _, _ := strings.Cut(c.canonical, "|"); err == nil && n.ResourceType() == "CapabilityStatement" &&
				(!strings.Contains(canonical, "://") || slices.Contains([]string{"", canonical}, n.Get("url").Text())) {
				c.node = n
			}
		}
	}
	return s, nil
}

// fixture reads what a fixture refers to. One that is missing is an error when it is needed.
func (l Loader) fixture(fsys fs.FS, folder string, s *Script, f *fixture) {
	if f.reference == "" {
		f.err = errors.New("it refers to nothing")
		return
	}
	if id, ok := strings.CutPrefix(f.reference, "#"); ok {
		for _, c := range s.node.Get("contained").Items() {
			if c.ID() == id {
				f.node = c.Clone()
				f.raw = f.node.AppendJSON(nil)
				return
			}
		}
		f.err = errors.New("the script contains no resource of its id")
		return
	}
	raw, isXML, err := l.find(fsys, folder, s.File, f.reference)
	if err != nil {
		f.err = err
		return
	}
	f.raw, f.xml = raw, isXML
	n, err := decode(bytes.Clone(raw), formType(isXML), MaxScriptBytes)
	if err == nil && n.ResourceType() != "" {
		f.node = n
	}
}

// find looks for a reference beside the script and in the folders above it, up to the suite's, there and in a folder
// "fixtures"; then it asks Resolve. A canonical is looked for under the name that packages give its file: Type-id.json.
func (l Loader) find(fsys fs.FS, suite, script, reference string) (raw []byte, isXML bool, err error) {
	ref, _, _ := strings.Cut(reference, "|")
	if strings.Contains(ref, "://") {
		ref = path.Base(path.Dir(ref)) + "-" + path.Base(ref)
	}
	if ref != "" {
		for dir := path.Dir(script); ; dir = path.Dir(dir) {
			for _, folder := range []string{dir, path.Join(dir, "fixtures")} {
				for _, ext := range []string{"", ".json", ".xml"} {
					p := path.Join(folder, ref) + ext
					if !fs.ValidPath(p) || suite != "." && !strings.HasPrefix(p, suite+"/") {
						continue
					}
					if info, err := fs.Stat(fsys, p); err != nil || !info.Mode().IsRegular() {
						continue
					}
					raw, err := readLimited(fsys, p)
					return raw, path.Ext(p) == ".xml", err
				}
			}
			if dir == suite || dir == "." {
				break
			}
		}
	}
	if l.Resolve != nil {
		raw, err := l.Resolve(reference)
		switch {
		case err == nil && len(raw) > MaxScriptBytes:
			return nil, false, fmt.Errorf("over %d bytes", MaxScriptBytes)
		case err == nil:
			return raw, bytes.HasPrefix(bytes.TrimLeft(raw, "\uFEFF \t\r\n"), []byte("<")), nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, false, err
		}
	}
	return nil, false, fmt.Errorf("%s: %w", reference, fs.ErrNotExist)
}

func readLimited(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, MaxScriptBytes+1))
	if err == nil && len(raw) > MaxScriptBytes {
		err = fmt.Errorf("%s: over %d bytes", name, MaxScriptBytes)
	}
	return raw, err
}

func extType(file string) string { return formType(path.Ext(file) == ".xml") }

func formType(isXML bool) string {
	if isXML {
		return typeXML
	}
	return typeJSON
}

// Node returns the script's resource, which must not be changed; nil for a file that could not be read.
func (s *Script) Node() *fhir.Node { return s.node }
