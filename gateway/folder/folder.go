package folder

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yilian/yilian/mapping"
)

// Limits bound a folder. A zero field means its default.
type Limits struct {
	Bytes int64 // of all files
	Files int
	Name  int // bytes of a file's name
}

// DefaultLimits are the limits where none are given.
var DefaultLimits = Limits{Bytes: 32 << 20, Files: 2000, Name: 200}

func (l Limits) withDefaults() Limits {
	l.Bytes = cmp.Or(l.Bytes, DefaultLimits.Bytes)
	l.Files = cmp.Or(l.Files, DefaultLimits.Files)
	l.Name = cmp.Or(l.Name, DefaultLimits.Name)
	return l
}

// Archive bounds the bytes of an archive: each file costs at most so much more than its content.
func (l Limits) Archive() int64 {
	l = l.withDefaults()
	return l.Bytes + int64(l.Files)*(4096+4*int64(l.Name)) + 1024
}

// File is one file of a folder.
type File struct {
	Name  string // with slashes, below the folder
	Bytes []byte
}

// Folder is the files of an institution's folder, in the order of their names. It
// is immutable.
type Folder struct{ files []File }

// Files returns the files. The caller must not change them.
func (f *Folder) Files() []File { return f.files }

// Digest is the hex SHA-256 of the archive.
func (f *Folder) Digest() string {
	sum := sha256.Sum256(f.Pack())
	return hex.EncodeToString(sum[:])
}

// maxFindings bounds what is told about one folder.
const maxFindings = 100

// builder gathers the files of a folder, and what keeps it from being one.
type builder struct {
	limits   Limits
	files    []File
	names    map[string]bool
	left     int64
	findings []mapping.Finding
}

func newBuilder(l Limits) *builder {
	l = l.withDefaults()
	return &builder{limits: l, names: map[string]bool{}, left: l.Bytes}
}

// refuse notes a finding; false when there are enough.
func (b *builder) refuse(name, text string) bool {
	b.findings = append(b.findings, mapping.Finding{File: shown(name), Text: text})
	return len(b.findings) < maxFindings
}

// takes reports whether a file of that name may come, and notes why not.
func (b *builder) takes(name string) bool {
	switch why := misplaced(name, b.limits.Name); {
	case why != "":
		b.refuse(name, why)
	case b.names[name]:
		b.refuse(name, "the file is there twice")
	case len(b.names) == b.limits.Files:
		b.refuse(name, "more than "+strconv.Itoa(b.limits.Files)+" files")
	default:
		b.names[name] = true
		return true
	}
	return false
}

// add takes a file's content; false when the folder is over its limit.
func (b *builder) add(name string, content []byte) bool {
	if b.left -= int64(len(content)); b.left < 0 {
		b.overLimit(name)
		return false
	}
	b.files = append(b.files, File{Name: name, Bytes: content})
	return true
}

func (b *builder) overLimit(name string) {
	b.refuse(name, "here the folder gets over "+strconv.FormatInt(b.limits.Bytes, 10)+" bytes")
}

func (b *builder) folder() (*Folder, error) {
	if len(b.findings) > 0 {
		return nil, &mapping.Error{Findings: b.findings}
	}
	slices.SortFunc(b.files, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	return &Folder{files: b.files}, nil
}

// institutionFile makes a folder an institution's.
const institutionFile = "institution.yaml"

// contents says which files each folder holds, besides *.md.
var contents = map[string]string{"maps": ".yaml", "codes": ".csv", "cases": ".txtar"}

const wanted = "want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md"

// misplaced says why a file of that name is none of a folder's, "" when it is one.
func misplaced(name string, longest int) string {
	switch {
	case len(name) > longest:
		return "the name has more than " + strconv.Itoa(longest) + " bytes"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == '\\' }):
		return "the name has characters that no file here may have"
	case strings.HasPrefix(name, "/"):
		return "the path is absolute; want one below the folder"
	case path.Clean(name) != name || name == ".." || strings.HasPrefix(name, "../"):
		return "the path leads elsewhere; want one below the folder"
	}
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	extension := path.Ext(base)
	want, known := contents[dir]
	switch {
	case base == extension: // nothing before the point
	case dir == "" && (name == institutionFile || extension == ".md"),
		known && (extension == want || extension == ".md"):
		return ""
	}
	return "the file does not belong here; " + wanted
}

// shown is a name as it can be printed.
func shown(name string) string {
	const most = 80
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		return strconv.QuoteToGraphic(name)
	}
	return name
}
