package packages_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
)

// file is a file of an archive that a test makes.
type file struct {
	name, text string
	header     tar.Header
}

func manifest(name, version string, dependencies ...string) file {
	var deps []string
	for _, d := range dependencies {
		n, v, _ := strings.Cut(d, "#")
		deps = append(deps, fmt.Sprintf("%q: %q", n, v))
	}
	return file{name: "package/package.json", text: fmt.Sprintf(
		`{"name": %q, "version": %q, "canonical": "urn:base", "title": "A package", "fhirVersions": ["4.0.1"], "dependencies": {%s}}`,
		name, version, strings.Join(deps, ", "))}
}

func defined(kind, name, url, version string) file {
	return file{name: "package/" + name, text: fmt.Sprintf(
		`{"resourceType": %q, "id": "x", "text": {"url": "urn:inner", "div": "\"}"}, "url": %q, "version": %q, "name": %q}`,
		kind, url, version, name)}
}

func tgz(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeArchive(&b, slices.Values(files), gzip.BestSpeed); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeArchive(to io.Writer, files func(func(file) bool), level int) error {
	zw, err := gzip.NewWriterLevel(to, level)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(zw)
	for f := range files {
		h := f.header
		h.Name = f.name
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(f.text))
		}
		if err := tw.WriteHeader(&h); err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(tw, f.text); err != nil {
				return err
			}
		}
	}
	return errors.Join(tw.Close(), zw.Close())
}

func read(t testing.TB, limits packages.Limits, files ...file) *packages.Package {
	t.Helper()
	p, err := packages.Read(bytes.NewReader(tgz(t, files...)), limits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReadFindsDefinitionsByTypeAndURL(t *testing.T) {
	p := read(t, packages.Limits{},
		defined("ValueSet", "a.json", "urn:vs", "1.0.0"),
		defined("ValueSet", "b.json", "urn:vs", "1.10.0"),
		defined("ValueSet", "c.json", "urn:vs", "1.9.0"),
		defined("StructureDefinition", "d.json", "urn:sd", "1.0.0"),
		manifest("test.one", "1.2.3", "test.two#1.0.x", "test.three#latest"),
		file{name: "package/other/e.json", text: `{"resourceType": "ValueSet", "url": "urn:below"}`},
		file{name: "package/example.json", text: `{"resourceType": "Patient", "id": "x"}`},
		file{name: "package/read.md", text: "text"},
		file{name: "package/broken.json", text: `{"resourceType": "ValueSet", "url": "urn:broken"`},
		file{name: "package/folder", header: tar.Header{Typeflag: tar.TypeDir}},
	)
	if diff := cmp.Diff([]any{"test.one#1.2.3", "A package", "urn:base", []string{"4.0.1"},
		[]packages.Dependency{{Name: "test.two", Version: "1.0.x"}, {Name: "test.three", Version: "latest"}}},
		[]any{p.ID(), p.Title, p.Canonical, p.FHIRVersions, p.Dependencies}); diff != "" {
		t.Errorf("manifest (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"urn:broken", "urn:vs"}, p.URLs("ValueSet")); diff != "" {
		t.Errorf("URLs (-want +got)\n%s", diff)
	}
	for _, tt := range []struct{ name, kind, url, want string }{
		{"the highest version when none is asked for", "ValueSet", "urn:vs", "b.json"},
		{"the version asked for", "ValueSet", "urn:vs|1.9.0", "c.json"},
		{"nothing of a version that is not there", "ValueSet", "urn:vs|2.0.0", ""},
		{"nothing of another type", "CodeSystem", "urn:vs", ""},
		{"another type", "StructureDefinition", "urn:sd", "d.json"},
		{"not what only stands inside", "ValueSet", "urn:inner", ""},
		{"nothing below the folder", "ValueSet", "urn:below", ""},
		{"nothing that is no JSON", "ValueSet", "urn:broken", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, ok := p.Resolve(tt.kind, tt.url)
			if got := n.Get("name").Text(); got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
	first, _ := p.Resolve("ValueSet", "urn:vs")
	if again, _ := p.Resolve("ValueSet", "urn:vs|1.10.0"); again != first {
		t.Error("the same definition was parsed twice")
	}
}

func TestReadReportsWhatItLeavesOut(t *testing.T) {
	p := read(t, packages.Limits{File: 1 << 10},
		manifest("test.one", "1.0.0", "..#1.0.0"),
		defined("ValueSet", "a.json", "urn:vs", "1.0.0"),
		defined("ValueSet", "b.json", "urn:vs", "1.0.0"),
		file{name: "package/large.json", text: `{"resourceType": "ValueSet", "url": "urn:large", "x": "` + strings.Repeat("x", 1<<10) + `"}`},
	)
	var ids []string
	for _, f := range p.Findings() {
		ids = append(ids, f.ID)
	}
	if diff := cmp.Diff([]string{"dependency-invalid", "file-too-large", "canonical-duplicate"}, ids); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n, _ := p.Resolve("ValueSet", "urn:vs"); n.Get("name").Text() != "a.json" {
		t.Error("of two definitions the first by name does not count")
	}
	if _, ok := p.Resolve("ValueSet", "urn:large"); ok {
		t.Error("a file over the limit can be found")
	}
}

// worked is the processor time that the tests have taken: how long something takes when the machine does nothing else.
func worked(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// inASecond runs f, which must end within a second.
func inASecond(t *testing.T, f func() error) {
	t.Helper()
	begun := worked(t)
	if err := f(); err != nil {
		t.Fatal(err)
	}
	if took := worked(t) - begun; took > time.Second {
		t.Errorf("took %v", took)
	}
}

// zeros is a text that packs a thousand times.
func zeros(size int) string { return strings.Repeat("\x00", size) }

func TestHostileArchivesAreRefused(t *testing.T) {
	ok := manifest("test.one", "1.0.0")
	link := func(kind byte) file {
		return file{name: "package/link.json", header: tar.Header{Typeflag: kind, Linkname: "/etc/passwd"}}
	}
	many := func(n int) []file {
		out := []file{ok}
		for i := range n {
			out = append(out, file{name: fmt.Sprintf("package/%d.json", i), text: "{}"})
		}
		return out
	}
	noise := make([]byte, 256<<10)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = 'a' + byte(x>>24)%26
	}
	for _, tt := range []struct {
		name   string
		files  []file
		limits packages.Limits
		want   string
	}{
		{"a name that leads out", []file{ok, {name: "package/../../x.json"}}, packages.Limits{}, "leads out"},
		{"a name that only leads up", []file{ok, {name: ".."}}, packages.Limits{}, "leads out"},
		{"an absolute name", []file{ok, {name: "/package/x.json"}}, packages.Limits{}, "leads out"},
		{"a name with a backslash", []file{ok, {name: `package\..\x.json`}}, packages.Limits{}, "leads out"},
		{"a symbolic link", []file{ok, link(tar.TypeSymlink)}, packages.Limits{}, "neither a file nor a folder"},
		{"a hard link", []file{ok, link(tar.TypeLink)}, packages.Limits{}, "neither a file nor a folder"},
		{"a device", []file{ok, link(tar.TypeChar)}, packages.Limits{}, "neither a file nor a folder"},
		{"no manifest", []file{{name: "package/x.json", text: "{}"}}, packages.Limits{}, "no package/package.json"},
		{"a manifest that is none", []file{{name: "package/package.json", text: "[]"}}, packages.Limits{}, "no package has the name"},
		{"a name that is a path", []file{manifest("../x", "1.0.0")}, packages.Limits{}, "no package has the name"},
		{"a version that is a path", []file{manifest("x", "1/../2")}, packages.Limits{}, "no package has the name"},
		{"a manifest of many values", []file{{name: "package/package.json", text: "[" + strings.Repeat("0,", 60_000) + "0]"}},
			packages.Limits{}, "package.json"},
		{"a large manifest", []file{{name: "package/package.json", text: strings.Repeat(" ", 9<<20)}}, packages.Limits{}, "limit File"},
		{"a bomb", []file{ok, {name: "package/a.bin", text: zeros(48 << 20)}}, packages.Limits{}, "limit Ratio"},
		{"too many entries", many(20), packages.Limits{Entries: 20}, "limit Entries of 20"},
		{"too many bytes", []file{ok, {name: "a", text: string(noise)}}, packages.Limits{Archive: 1 << 10}, "limit Archive of 1024"},
		{"too many bytes inside", []file{ok, {name: "a", text: zeros(1 << 20)}}, packages.Limits{Unpacked: 1 << 19}, "limit Unpacked of 524288"},
		{"too much to keep", []file{ok, {name: "package/a.json", text: `{"resourceType": "ValueSet", "url": "urn:x", "x": "` + string(noise) + `"}`}},
			packages.Limits{Kept: 1 << 16}, "limit Kept of 65536"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := tgz(t, tt.files...)
			var err error
			inASecond(t, func() error {
				_, err = packages.Read(bytes.NewReader(data), tt.limits)
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one about %q", err, tt.want)
			}
			if strings.Contains(tt.want, "limit") && !errors.Is(err, packages.ErrLimit) {
				t.Errorf("%v is no ErrLimit", err)
			}
		})
	}
	for name, data := range map[string][]byte{"nothing": nil, "no gzip": []byte("text"), "half an archive": tgz(t, ok, defined("ValueSet", "a.json", "urn:x", string(noise)))[:200]} {
		if _, err := packages.Read(bytes.NewReader(data), packages.Limits{}); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestAMillionEntriesAndAHugeStringAreRefusedAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files func(func(file) bool)
		want  string
	}{
		{"a million entries", func(yield func(file) bool) {
			for i := range 1_000_000 {
				if !yield(file{name: fmt.Sprintf("package/%d.json", i), text: "{}"}) {
					return
				}
			}
		}, "over the limit"},
		{"a string of 50 MB", func(yield func(file) bool) {
			if yield(manifest("test.one", "1.0.0")) {
				yield(file{name: "package/a.json", text: `{"resourceType": "ValueSet", "url": "urn:x", "x": "` +
					strings.Repeat("text ", 10<<20) + `"}`})
			}
		}, "limit Ratio"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var archive bytes.Buffer
			if err := writeArchive(&archive, tt.files, gzip.BestSpeed); err != nil {
				t.Fatal(err)
			}
			resident := func() int64 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return int64(m.HeapSys) - int64(m.HeapReleased)
			}
			debug.FreeOSMemory() // of what the archive was made of
			before := resident()
			_, err := packages.Read(&archive, packages.Limits{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v", err)
			}
			if grown := resident() - before; grown > 100<<20 {
				t.Errorf("the heap grew by %d MB", grown>>20)
			}
		})
	}
}

func TestAStringOf50MBThatDoesNotPackIsLeftOut(t *testing.T) {
	noise := make([]byte, 50<<20)
	for i, x := 0, uint32(7); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = 'a' + byte(x>>24)%26
	}
	var data bytes.Buffer
	if err := writeArchive(&data, slices.Values([]file{
		manifest("test.one", "1.0.0"),
		{name: "package/a.json", text: `{"resourceType": "ValueSet", "url": "urn:x", "x": "` + string(noise) + `"}`},
	}), gzip.NoCompression); err != nil {
		t.Fatal(err)
	}
	var p *packages.Package
	inASecond(t, func() error {
		var err error
		p, err = packages.Read(bytes.NewReader(data.Bytes()), packages.Limits{})
		return err
	})
	if f := p.Findings(); len(f) != 1 || f[0].ID != "file-too-large" {
		t.Errorf("findings are %v", f)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(tgz(f, manifest("test.one", "1.0.0", "a#1.x"), defined("ValueSet", "a.json", "urn:x", "1")))
	f.Add(tgz(f, file{name: "../x"}))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := packages.Read(bytes.NewReader(data), packages.Limits{Unpacked: 1 << 20, File: 1 << 18})
		if err != nil {
			return
		}
		for _, kind := range p.Kinds() {
			for _, url := range p.URLs(kind) {
				if n, ok := p.Resolve(kind, url); ok && n.Get("url").Text() != url {
					t.Errorf("%s found %s", url, n.Get("url").Text())
				}
			}
		}
	})
}

// FuzzReadFile reads archives whose files are hostile, and not the archive.
func FuzzReadFile(f *testing.F) {
	f.Add(`{"resourceType":"ValueSet","url":"urn:x"}`, `{"name":"a","version":"1"}`)
	f.Add(`{"\u0075rl":"a","resourceType":"ValueSet"}`, `{"name":"a","version":"1"}`)
	f.Add(`{"a\\":"\"","resourceType":"A","url":"b","version":[{"url":"c"}]}`, `{"name":"a","version":"1","dependencies":{"b":1}}`)
	f.Fuzz(func(t *testing.T, text, about string) {
		p, err := packages.Read(bytes.NewReader(tgz(t, file{name: "package/a.json", text: text},
			file{name: "package/package.json", text: about})), packages.Limits{File: 1 << 18})
		if err != nil {
			return
		}
		n, err := fhir.Parse([]byte(text), fhir.Limits{})
		if err != nil || n.Get("url").Kind() != fhir.String || n.Get("resourceType").Kind() != fhir.String {
			return
		}
		kind, url := n.ResourceType(), n.Get("url").Text()
		if kind == "" || url == "" || len(url) > 1024 || len(kind) > 1024 {
			return
		}
		if _, ok := p.Resolve(kind, url); !ok {
			t.Errorf("a definition of %q is not found", url)
		}
	})
}
