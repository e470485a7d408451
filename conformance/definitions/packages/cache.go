package packages

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// Cache is a folder of unpacked packages: name#version/package/….
type Cache struct {
	dir    string
	limits Limits
}

// DefaultCache is the folder that FHIR tools share, ~/.fhir/packages.
func DefaultCache() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the package cache: %w", err)
	}
	return filepath.Join(home, ".fhir", "packages"), nil
}

// NewCache returns the cache in a folder, which need not exist.
func NewCache(dir string, limits Limits) *Cache {
	return &Cache{dir: dir, limits: limits.withDefaults()}
}

// Versions are the versions of a package that are there, lowest first.
func (c *Cache) Versions(name string) ([]string, error) {
	if !validName(name) {
		return nil, fmt.Errorf("no package has the name %q", clip(name))
	}
	f, err := os.Open(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read package cache: %w", err)
	}
	defer f.Close()
	list, err := f.Readdirnames(c.limits.Entries)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read package cache: %w", err)
	}
	var out []string
	for _, file := range list {
		n, version, ok := strings.Cut(file, "#")
		if ok && n == name && validVersion(version) {
			out = append(out, version)
		}
	}
	slices.SortFunc(out, compareVersions)
	return out, nil
}

// Find opens the package that a dependency asks for, the highest version that fits. The error is fs.ErrNotExist when
// there is none.
func (c *Cache) Find(d Dependency) (*Package, error) {
	if !validVersion(d.Version) {
		return nil, fmt.Errorf("no package has the version %q", clip(d.Version))
	}
	versions, err := c.Versions(d.Name)
	if err != nil {
		return nil, err
	}
	for _, v := range slices.Backward(versions) {
		// Versions with a label are latest only when there is nothing else.
		if _, label := split(v); d.Version == latest && label != "" && slices.ContainsFunc(versions, released) {
			continue
		}
		if matchVersion(v, d.Version) {
			return c.open(d.Name, v)
		}
	}
	return nil, fmt.Errorf("find package %s: %w", clip(d.String()), fs.ErrNotExist)
}

func released(version string) bool {
	_, label := split(version)
	return label == ""
}

// open reads the manifest and the index of a package. Its definitions are read from the folder when they are asked for;
// nothing outside of the folder can be reached, through links neither.
func (c *Cache) open(name, version string) (*Package, error) {
	p := &Package{limits: c.limits}
	dir := filepath.Join(c.dir, name+"#"+version, "package")
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open package %s#%s: %w", name, version, err)
	}
	defer root.Close()
	text, err := readRoot(root, "package.json", maxManifest)
	if err != nil {
		return nil, fmt.Errorf("open package %s#%s: %w", name, version, err)
	}
	if err := p.manifest(text); err != nil {
		return nil, err
	}
	if p.Name != name {
		return nil, fmt.Errorf("open package %s#%s: its manifest names %s", name, version, p.Name)
	}
	p.Version = version // "current" and "dev" are folders, not versions
	if text, err := readRoot(root, ".index.json", maxManifest); err == nil {
		if list, ok := files(text); ok && len(list) <= c.limits.Entries {
			p.entries = list
		}
	}
	if p.entries == nil {
		if err := p.scan(root); err != nil {
			return nil, fmt.Errorf("open package %s: %w", p.ID(), err)
		}
	}
	p.load = func(e entry) ([]byte, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		return readRoot(root, e.file, p.limits.File)
	}
	p.arrange()
	return p, nil
}

// scan reads the headings of all files of a package without an index.
func (p *Package) scan(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	list, err := f.Readdirnames(p.limits.Entries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(list) > p.limits.Entries {
		return &LimitError{Limit: "Entries", Value: int64(p.limits.Entries)}
	}
	slices.Sort(list)
	for _, name := range list {
		if !validFile(name) {
			continue
		}
		text, err := readRoot(root, name, p.limits.File)
		var over *LimitError
		if errors.As(err, &over) {
			p.report(fhir.Warning, fhir.TypeTooLong, "file-too-large", "%s: %v", p.ID(), over)
		}
		if err != nil {
			continue
		}
		if h := skim(text); h.kind != "" && h.url != "" {
			p.entries = append(p.entries, entry{heading: h, file: name})
		}
	}
	return nil
}

// readRoot reads a regular file of a folder.
func readRoot(root *os.Root, name string, limit int) ([]byte, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", clip(name))
	case info.Size() > int64(limit):
		return nil, &LimitError{Limit: "File", Value: int64(limit), File: clip(name)}
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := make([]byte, 0, info.Size()+1)
	for {
		if len(text) > limit {
			return nil, &LimitError{Limit: "File", Value: int64(limit), File: clip(name)}
		}
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
		n, err := f.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
