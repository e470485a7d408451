package ig

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/definitions/packages"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/snapshot"
)

// File is one file of the guide's package.
type File struct {
	Name     string     // in the archive: package/ValueSet-gb-sex.json
	Resource *fhir.Node // nil for the manifest and the indexes
	Example  bool

	text *fhir.Node
}

// Build writes the FHIR package of a guide, and returns what is in it. The same guide gives the same bytes. A guide that
// contradicts itself – a differential that does not fit its base, two examples of one name – is an error, and nothing is
// written.
func Build(w io.Writer, s *Source) ([]File, error) {
	list, err := Files(s)
	if err != nil {
		return nil, err
	}
	made, err := time.Parse(time.DateOnly, s.guide().Get("date").Text())
	if err != nil {
		return nil, fmt.Errorf("build the package: date of the guide: %w", err)
	}
	zw := gzip.NewWriter(w)
	tw := tar.NewWriter(zw)
	for _, f := range list {
		text := append(f.text.AppendIndent(nil), '\n')
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: 0o644, Size: int64(len(text)), ModTime: made, Format: tar.FormatUSTAR}
		if err := tw.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("build the package: %s: %w", f.Name, err)
		}
		if _, err := tw.Write(text); err != nil {
			return nil, fmt.Errorf("build the package: %s: %w", f.Name, err)
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		return nil, fmt.Errorf("build the package: %w", err)
	}
	return list, nil
}

// Files are the files of a guide's package in their order: manifest, index, definitions with snapshots, the
// ImplementationGuide that lists them, examples.
func Files(s *Source) ([]File, error) {
	definitions, err := withSnapshots(s)
	if err != nil {
		return nil, err
	}
	definitions = append(definitions, implementationGuide(s))
	slices.SortFunc(definitions, byTypeAndID)
	list := []File{{Name: "package/package.json", text: manifest(s)}, {Name: "package/.index.json", text: index(definitions)}}
	for _, n := range definitions {
		list = append(list, File{Name: "package/" + fileName(n), Resource: n, text: n})
	}
	if examples := s.Examples(); len(examples) > 0 {
		list = append(list, File{Name: "package/example/.index.json", text: index(examples)})
		for _, n := range examples {
			list = append(list, File{Name: "package/example/" + fileName(n), Resource: n, Example: true, text: n})
		}
	}
	seen := map[string]bool{}
	for _, f := range list {
		if seen[f.Name] {
			return nil, fmt.Errorf("build the package: there are two %s", f.Name)
		}
		seen[f.Name] = true
	}
	return list, nil
}

func fileName(n *fhir.Node) string { return n.ResourceType() + "-" + n.ID() + ".json" }

// withCore finds definitions of the guide and those of FHIR.
type withCore struct{ s *Source }

func (c withCore) Resolve(kind, url string) (*fhir.Node, bool) {
	if n, ok := c.s.Resolve(kind, url); ok {
		return n, true
	}
	return packages.R4().Resolve(kind, url)
}

// withSnapshots are the definitions of a guide, profiles with their snapshots.
func withSnapshots(s *Source) ([]*fhir.Node, error) {
	generator := snapshot.New(withCore{s}, snapshot.Options{})
	list := s.Resources()
	var wrong []error
	for i, n := range list {
		if n.ResourceType() != "StructureDefinition" {
			continue
		}
		made, issues := generator.Generate(n)
		for _, i := range issues {
			wrong = append(wrong, fmt.Errorf("build the package: %s: %s", fileName(n), i))
		}
		list[i] = made
	}
	return list, errors.Join(wrong...)
}

// The package of FHIR itself, on which the guide's depends.
const (
	corePackage = "hl7.fhir.r4.core"
	coreVersion = "4.0.1"
)

// manifest is package.json.
func manifest(s *Source) *fhir.Node {
	guide := s.guide()
	version := fhir.NewArray(fhir.NewString(coreVersion))
	m := fhir.NewObject().
		SetString("name", guide.Get("packageId").Text()).
		SetString("version", guide.Get("version").Text()).
		SetString("type", "IG").
		SetString("license", guide.Get("license").Text()).
		SetString("canonical", Base).
		SetString("url", Base).
		SetString("title", guide.Get("title").Text()).
		SetString("description", guide.Get("description").Text()).
		SetString("author", guide.Get("publisher").Text()).
		SetString("date", strings.ReplaceAll(guide.Get("date").Text(), "-", "")+"000000").
		Set("fhirVersions", version).
		Set("fhir-version-list", version.Clone()).
		Set("dependencies", fhir.NewObject().SetString(corePackage, coreVersion)).
		Set("directories", fhir.NewObject().SetString("lib", "package").SetString("example", "example"))
	if code := guide.Path("jurisdiction", "coding"); code != nil {
		m.SetString("jurisdiction", code.At(0).Get("system").Text()+"#"+code.At(0).Get("code").Text())
	}
	return m
}

// index is .index.json of a folder.
func index(resources []*fhir.Node) *fhir.Node {
	list := fhir.NewArray()
	for _, n := range resources {
		e := fhir.NewObject().SetString("filename", fileName(n)).SetString("resourceType", n.ResourceType()).SetString("id", n.ID())
		for _, name := range []string{"url", "version", "kind", "type", "content", "valueSet", "derivation"} {
			if v := n.Get(name); v.Kind() == fhir.String && (name == "url" || n.Get("url") != nil) {
				e.SetString(name, v.Text())
			}
		}
		list.Append(e)
	}
	return fhir.NewObject().Set("index-version", fhir.NewNumber("2")).Set("files", list)
}

// grouping is one part of the guide.
type grouping struct{ id, name, chinese string }

var groupings = []grouping{
	{"profiles", "Profiles", "规范"},
	{"extensions", "Extensions", "扩展"},
	{"terminology", "Terminology", "术语"},
	{"search", "Search parameters", "查询参数"},
	{"operations", "Operations", "操作"},
	{"capabilities", "Requirements", "能力要求"},
	{"examples", "Examples", "示例"},
}

// groupOf tells which part of the guide a definition belongs to.
func groupOf(n *fhir.Node) string {
	switch n.ResourceType() {
	case "StructureDefinition":
		if n.Get("type").Text() == "Extension" {
			return "extensions"
		}
		return "profiles"
	case "CodeSystem", "ValueSet", "ConceptMap":
		return "terminology"
	case "SearchParameter":
		return "search"
	case "OperationDefinition":
		return "operations"
	case "CapabilityStatement":
		return "capabilities"
	}
	return "examples"
}

// implementationGuide is the guide's own resource, with the list of all others.
func implementationGuide(s *Source) *fhir.Node {
	byGroup := map[string][]*fhir.Node{}
	for _, n := range s.Resources() {
		byGroup[groupOf(n)] = append(byGroup[groupOf(n)], listed(n, groupOf(n)))
	}
	for _, n := range s.Examples() {
		e := listed(n, "examples")
		if profile := n.Path("meta", "profile"); profile != nil {
			e.SetString("exampleCanonical", profile.At(0).Text())
		} else {
			e.Set("exampleBoolean", fhir.NewBool(true))
		}
		byGroup["examples"] = append(byGroup["examples"], e)
	}
	groups, resources := fhir.NewArray(), fhir.NewArray()
	for _, g := range groupings {
		if len(byGroup[g.id]) == 0 {
			continue
		}
		groups.Append(fhir.NewObject().SetString("id", g.id).SetString("name", g.name).Set("_name", translation(g.chinese)))
		for _, r := range byGroup[g.id] {
			resources.Append(r.SetString("groupingId", g.id))
		}
	}
	out := s.guide().Clone()
	return out.Set("definition", fhir.NewObject().Set("grouping", groups).Set("resource", resources))
}

// listed is an entry of the guide's list.
func listed(n *fhir.Node, group string) *fhir.Node {
	e := fhir.NewObject().Set("reference", fhir.NewObject().SetString("reference", n.ResourceType()+"/"+n.ID()))
	name := n.ID()
	if group != "examples" {
		for _, from := range []string{"title", "name"} {
			if text := n.Get(from); text.Kind() == fhir.String {
				name = text.Text()
				break
			}
		}
	}
	e.SetString("name", name)
	if beside := n.Get("_title"); beside != nil && group != "examples" {
		e.Set("_name", beside.Clone())
	}
	if text := n.Get("description"); text.Kind() == fhir.String && group != "examples" {
		e.SetString("description", text.Text())
	}
	if group != "examples" {
		e.Set("exampleBoolean", fhir.NewBool(false))
	}
	return e
}

// translation stands beside a text and says it in Chinese.
func translation(chinese string) *fhir.Node {
	part := func(url, kind, text string) *fhir.Node {
		return fhir.NewObject().SetString("url", url).SetString("value"+kind, text)
	}
	return fhir.NewObject().Set("extension", fhir.NewArray(fhir.NewObject().
		SetString("url", "http://hl7.org/fhir/StructureDefinition/translation").
		Set("extension", fhir.NewArray(part("lang", "Code", "zh-CN"), part("content", "String", chinese)))))
}

// PackageFile is what the package is called as a file: name-version.tgz.
func PackageFile() string { return Name + "-" + Version + ".tgz" }
