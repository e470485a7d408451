package folder_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/mapping"
)

// whole is a folder with a file of each kind.
var whole = map[string]string{
	"institution.yaml": "format: 1\n", "README.md": "# 说明\n", "maps/adt.yaml": "format: 1\n", "maps/病历.yaml": "",
	"codes/性别.csv": "code\n", "codes/README.md": "codes\n", "cases/a.txtar": "-- in.hl7 --\n",
}

// entry is one entry of an archive that a test makes.
type entry struct {
	tar.Header
	content string
}

func file(name, content string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o600}, content}
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// disk writes files below a new folder.
func disk(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func contents(f *folder.Folder) map[string]string {
	out := map[string]string{}
	for _, file := range f.Files() {
		out[file.Name] = string(file.Bytes)
	}
	return out
}

// findings are what keeps a folder from being one, as lines.
func findings(t testing.TB, err error) (lines []string) {
	t.Helper()
	var wrong *mapping.Error
	if !errors.As(err, &wrong) {
		t.Fatalf("not findings: %v", err)
	}
	for _, f := range wrong.Findings {
		lines = append(lines, f.String())
	}
	return lines
}

func TestAFolderIsReadPackedUnpackedAndWritten(t *testing.T) {
	read, err := folder.Read(disk(t, whole), folder.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, contents(read)); diff != "" {
		t.Error(diff)
	}
	unpacked, err := folder.Unpack(read.Pack(), folder.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, contents(unpacked)); diff != "" {
		t.Error(diff)
	}
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := unpacked.Write(dir); err != nil {
		t.Fatal(err)
	}
	again, err := folder.Read(dir, folder.Limits{})
	if err != nil || again.Digest() != read.Digest() || !bytes.Equal(again.Pack(), unpacked.Pack()) {
		t.Errorf("what was written is not what was read: %v", err)
	}
	if err := unpacked.Write(dir); !errors.Is(err, folder.ErrOccupied) {
		t.Errorf("written twice: %v", err)
	}
	if err := fstest.TestFS(unpacked.FS(), "institution.yaml", "maps/adt.yaml", "codes/性别.csv"); err != nil {
		t.Error(err)
	}
}

func TestTheArchiveOfAFolderIsOneWhateverItCameFrom(t *testing.T) {
	want, err := folder.Read(disk(t, map[string]string{"institution.yaml": "a", "maps/b.yaml": "c"}), folder.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, entries := range map[string][]entry{
		"in another order":          {file("maps/b.yaml", "c"), file("institution.yaml", "a")},
		"as tar writes a directory": {{Header: tar.Header{Typeflag: tar.TypeDir, Name: "./"}}, {Header: tar.Header{Typeflag: tar.TypeDir, Name: "./maps/"}}, file("./maps/b.yaml", "c"), file("./institution.yaml", "a")},
		"with a global header":      {{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "commit"}}}, file("maps/b.yaml", "c"), file("institution.yaml", "a")},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := folder.Unpack(archive(t, entries...), folder.Limits{})
			if err != nil || got.Digest() != want.Digest() || !bytes.Equal(got.Pack(), want.Pack()) {
				t.Errorf("another archive: %v", err)
			}
		})
	}
	other, err := folder.Unpack(archive(t, file("maps/b.yaml", "C"), file("institution.yaml", "a")), folder.Limits{})
	if err != nil || other.Digest() == want.Digest() {
		t.Errorf("another folder has the same digest, %v", err)
	}
}

func TestHostileArchivesAreRefusedByName(t *testing.T) {
	limits := folder.Limits{Bytes: 1000, Files: 3, Name: 40}
	tests := []struct {
		name    string
		archive []byte
		want    []string
	}{
		{"nothing", nil, []string{"archive: the archive is empty; want a tar of the folder's files"}},
		{"an archive without files", archive(t), []string{"archive: the archive is empty; want a tar of the folder's files"}},
		{"no archive", []byte(strings.Repeat("x", 1024)), []string{"archive: the archive cannot be read; want a tar of the folder's files"}},
		{"an archive cut short", archive(t, file("institution.yaml", strings.Repeat("x", 600)))[:1000],
			[]string{"institution.yaml: the archive ends inside the file"}},
		{"a path upwards", archive(t, file("../institution.yaml", "x"), file("maps/../../x.yaml", "x")),
			[]string{"../institution.yaml: the path leads elsewhere; want one below the folder", "maps/../../x.yaml: the path leads elsewhere; want one below the folder"}},
		{"an absolute path", archive(t, file("/etc/x.md", "x")), []string{"/etc/x.md: the path is absolute; want one below the folder"}},
		{"a path in two ways", archive(t, file("maps//x.yaml", "x")), []string{"maps//x.yaml: the path leads elsewhere; want one below the folder"}},
		{"a path of another system", archive(t, file(`..\x.md`, "x")), []string{`..\x.md: the name has characters that no file here may have`}},
		{"characters that print nothing", archive(t, file("a\x1b[2Jb.md", "x")), []string{`"a\x1b[2Jb.md": the name has characters that no file here may have`}},
		{"a name without end", archive(t, file(strings.Repeat("n", 500)+".md", "x")), []string{strings.Repeat("n", 80) + "…: the name has more than 40 bytes"}},
		{"a symbolic link", archive(t, entry{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: "institution.yaml", Linkname: "/etc/passwd"}}),
			[]string{"institution.yaml: is a link; want plain files"}},
		{"a hard link", archive(t, entry{Header: tar.Header{Typeflag: tar.TypeLink, Name: "maps/x.yaml", Linkname: "institution.yaml"}}),
			[]string{"maps/x.yaml: is a link; want plain files"}},
		{"a device", archive(t, entry{Header: tar.Header{Typeflag: tar.TypeChar, Name: "README.md"}}), []string{"README.md: is not a plain file"}},
		{"a file that is mostly holes", sparse(t), []string{"README.md: is not a plain file"}},
		{"a file twice", archive(t, file("README.md", "x"), file("./README.md", "y")), []string{"README.md: the file is there twice"}},
		{"a file that does not belong", archive(t, file("maps/x.exe", "x"), file("maps/.yaml", "x"), file("maps/deep/x.yaml", "x"), file("other.yaml", "x")), []string{
			"maps/x.exe: the file does not belong here; want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md",
			"maps/.yaml: the file does not belong here; want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md",
			"maps/deep/x.yaml: the file does not belong here; want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md",
			"other.yaml: the file does not belong here; want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md"}},
		{"a folder that does not belong", archive(t, entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: "secrets/"}}),
			[]string{"secrets/: the folder does not belong here; want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md"}},
		{"too many files", archive(t, file("1.md", ""), file("2.md", ""), file("3.md", ""), file("4.md", "")), []string{"4.md: more than 3 files"}},
		{"too many entries", archive(t, slices.Repeat([]entry{{Header: tar.Header{Typeflag: tar.TypeDir, Name: "maps/"}}}, 8)...),
			[]string{"archive: the archive has too many entries"}},
		{"too many bytes", archive(t, file("1.md", strings.Repeat("x", 600)), file("2.md", strings.Repeat("x", 401))),
			[]string{"2.md: here the folder gets over 1000 bytes"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := folder.Unpack(test.archive, limits)
			if diff := cmp.Diff(test.want, findings(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := folder.Unpack(archive(t, file("1.md", strings.Repeat("x", 600)), file("2.md", strings.Repeat("x", 400)), file("3.md", "")), limits); err != nil {
		t.Errorf("a folder at its limits: %v", err)
	}
}

// sparse is an archive of one file that says it has 1 GB, in a kilobyte.
func sparse(t *testing.T) []byte {
	t.Helper()
	text := archive(t, file("README.md", "x"))
	copy(text[156:], "S")                     // type: GNU sparse
	copy(text[257:], "ustar  \x00")           // GNU's magic
	copy(text[386:], fmt.Sprintf("%011o", 0)) // one piece at 0 …
	copy(text[398:], fmt.Sprintf("%011o", 1)) // … of one byte
	copy(text[483:], fmt.Sprintf("%011o", 1<<30))
	copy(text[148:], "        ")
	sum := 0
	for _, b := range text[:512] {
		sum += int(b)
	}
	copy(text[148:], fmt.Sprintf("%06o\x00 ", sum))
	return text
}

func TestEndlessNumbersOfMistakesAreNotAllTold(t *testing.T) {
	var entries []entry
	for n := range 500 {
		entries = append(entries, file(fmt.Sprint("x", n), ""))
	}
	_, err := folder.Unpack(archive(t, entries...), folder.Limits{})
	if got := findings(t, err); len(got) != 100 {
		t.Errorf("%d findings", len(got))
	}
}

func TestWhatDoesNotBelongInAFolderOnDiskIsRefusedByName(t *testing.T) {
	outside := disk(t, map[string]string{"secret.yaml": "s", "maps/x.yaml": "x"})
	tests := []struct {
		name   string
		change func(dir string) error
		want   []string
	}{
		{"a link to a file outside", func(dir string) error {
			return os.Symlink(filepath.Join(outside, "secret.yaml"), filepath.Join(dir, "maps", "x.yaml"))
		}, []string{"maps/x.yaml: is a link out of the folder, or to nothing"}},
		{"a link upwards", func(dir string) error { return os.Symlink("../../x.yaml", filepath.Join(dir, "maps", "x.yaml")) },
			[]string{"maps/x.yaml: is a link out of the folder, or to nothing"}},
		{"a link to nothing", func(dir string) error { return os.Symlink("nothing", filepath.Join(dir, "maps", "x.yaml")) },
			[]string{"maps/x.yaml: is a link out of the folder, or to nothing"}},
		{"a link in a circle", func(dir string) error { return os.Symlink("x.yaml", filepath.Join(dir, "maps", "x.yaml")) },
			[]string{"maps/x.yaml: is a link out of the folder, or to nothing"}},
		{"maps that are elsewhere", func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "maps")), os.Symlink(filepath.Join(outside, "maps"), filepath.Join(dir, "maps")))
		}, []string{"maps: is a link out of the folder, or to nothing"}},
		{"maps that are a link inside", func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "maps")), os.Symlink("codes", filepath.Join(dir, "maps")))
		}, []string{"maps: the folder does not belong here; want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md"}},
		{"the folder of a version control", func(dir string) error { return os.Mkdir(filepath.Join(dir, ".git"), 0o755) },
			[]string{".git: the folder does not belong here; want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md"}},
		{"samples", func(dir string) error { return os.WriteFile(filepath.Join(dir, "sample.hl7"), nil, 0o600) },
			[]string{"sample.hl7: the file does not belong here; want institution.yaml, maps/*.yaml, codes/*.csv, cases/*.txtar and *.md"}},
		{"more bytes than a folder has", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "codes", "z.csv"), make([]byte, 1001), 0o600)
		}, []string{"codes/z.csv: here the folder gets over 1000 bytes"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := disk(t, whole)
			if err := test.change(dir); err != nil {
				t.Fatal(err)
			}
			_, err := folder.Read(dir, folder.Limits{Bytes: 1000})
			if diff := cmp.Diff(test.want, findings(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALinkInsideTheFolderIsItsFile(t *testing.T) {
	dir := disk(t, whole)
	if err := os.Symlink("adt.yaml", filepath.Join(dir, "maps", "bar.yaml")); err != nil {
		t.Fatal(err)
	}
	f, err := folder.Read(dir, folder.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := contents(f)["maps/bar.yaml"]; got != whole["maps/adt.yaml"] {
		t.Errorf("%q", got)
	}
}

func TestAFolderThatIsNotThereIsNoFinding(t *testing.T) {
	if _, err := folder.Read(filepath.Join(t.TempDir(), "nothing"), folder.Limits{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestTheLargestFolderFitsItsArchive(t *testing.T) {
	limits := folder.Limits{Bytes: 20_000, Files: 20, Name: 200}
	var entries []entry
	for n := range limits.Files {
		entries = append(entries, file("codes/"+strings.Repeat("字", 62)+fmt.Sprintf("%02d", n)+".csv", strings.Repeat("x", 1000)))
	}
	f, err := folder.Unpack(archive(t, entries...), limits)
	if err != nil {
		t.Fatal(err)
	}
	if got := int64(len(f.Pack())); got > limits.Archive() {
		t.Errorf("%d bytes, more than %d", got, limits.Archive())
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(archive(f, file("institution.yaml", "format: 1\n"), file("maps/病历.yaml", "x")))
	f.Add(archive(f, file("../x.md", "x"), file(strings.Repeat("n", 300)+".md", "x")))
	f.Add(archive(f, entry{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: "README.md", Linkname: "x"}}))
	limits := folder.Limits{Bytes: 4096, Files: 8, Name: 64}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := folder.Unpack(data, limits)
		if err != nil {
			if len(findings(t, err)) == 0 {
				t.Error("refused for nothing")
			}
			return
		}
		size := 0
		for _, file := range got.Files() {
			size += len(file.Bytes)
			if !fs.ValidPath(file.Name) || len(file.Name) > limits.Name {
				t.Errorf("name %q", file.Name)
			}
		}
		if size > int(limits.Bytes) || len(got.Files()) > limits.Files {
			t.Errorf("%d files of %d bytes", len(got.Files()), size)
		}
		packed := got.Pack()
		again, err := folder.Unpack(packed, limits)
		if err != nil || !bytes.Equal(again.Pack(), packed) || int64(len(packed)) > limits.Archive() {
			t.Errorf("packed and unpacked: %v", err)
		}
	})
}
