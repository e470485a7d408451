package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yilian/yilian/mapping/codes"
	"github.com/yilian/yilian/mapping/draft"
)

type mapInitCommand struct {
	Dir    string   `arg:"" optional:"" help:"Folder to write; it must not be there yet."`
	Sample []string `arg:"" optional:"" help:"Sample records in any format, or folders of them."`
	ID     string   `name:"id" placeholder:"ID" help:"The institution's id; default: the folder's name."`
	Name   string   `placeholder:"NAME" help:"The institution's printed name."`
	Lang   string   `placeholder:"zh|en" help:"Language of comments and of TODO.md; default: that of the environment, else en."`
	Like   []string `type:"existingdir" placeholder:"DIR" help:"Folder of an institution that is connected already: codes of the same name get the same target."`
	Is     []string `sep:"none" placeholder:"TABLE.COLUMN=CONCEPT" help:"What a field holds, where TODO.md asks; COLUMN=CONCEPT for all tables, =- to leave it alone. Repeatable."`

	Concepts bool `help:"Print what a field can be said to hold, and do nothing else."`
}

func (mapInitCommand) Help() string {
	return `Reads sample records of a hospital and drafts its folder: institution.yaml, maps, code tables, a case for each kind of sample with
names and numbers replaced, and TODO.md, the list of what is to be decided. What is a guess is marked "# ?". An existing folder is
never touched. What the list asks about a field is answered with --is and another folder: --is '就诊登记.流水号=visit', --is 'results.code=item',
--is '备用1=-'; --is 'TABLE=@visit' says what a table tells. What is drafted loads; what it makes of the samples is for "yilian map run" to show.

With --json one object: dir, id; files; records, maps, codes, cases; guessed, doubtful and asked, numbers of fields; refused, findings
that would keep samples out; questions, each with place, seen, ask and, where a flag decides it, answer; next, command lines.
With --concepts an array of objects: name, is.`
}

// drafted is what "map init --json" prints.
type drafted struct {
	Dir       string           `json:"dir"`
	ID        string           `json:"id"`
	Files     []string         `json:"files"`
	Records   int              `json:"records"`
	Maps      int              `json:"maps"`
	Codes     int              `json:"codes"`
	Cases     int              `json:"cases"`
	Guessed   int              `json:"guessed"`
	Doubtful  int              `json:"doubtful"`
	Asked     int              `json:"asked"`
	Refused   int              `json:"refused"`
	Questions []draft.Question `json:"questions"`
	Next      []string         `json:"next"`
}

func (c mapInitCommand) Run(ctx context.Context, out *output) error {
	lang := c.Lang
	if lang == "" {
		lang = environmentLanguage()
	}
	if c.Concepts {
		return printConcepts(out, lang)
	}
	if c.Dir == "" || len(c.Sample) == 0 {
		return usageError{errors.New("want a folder to write, and samples")}
	}
	if _, err := os.Lstat(c.Dir); err == nil {
		return fmt.Errorf("%s is there already; want a folder that is not", c.Dir)
	}
	names, err := samplesIn(c.Sample)
	if err != nil {
		return err
	}
	files, err := readDelivery(out, names)
	if err != nil {
		return err
	}
	o := draft.Options{ID: c.ID, Name: c.Name, Lang: lang, Is: c.Is}
	if o.ID == "" {
		abs, err := filepath.Abs(c.Dir)
		if err != nil {
			return err
		}
		o.ID = draft.ID(filepath.Base(abs))
	}
	if o.Known, err = knownTables(out, c.Like); err != nil {
		return err
	}
	d, err := draft.From(files, o)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := writeFolder(c.Dir, d); err != nil {
		return err
	}
	return c.tell(out, o.ID, d)
}

func printConcepts(out *output, lang string) error {
	if lang != draft.English && lang != draft.Chinese {
		return fmt.Errorf("language %q; want %s or %s", lang, draft.English, draft.Chinese)
	}
	concepts := draft.Concepts(lang)
	if out.json {
		return out.print(concepts)
	}
	for _, c := range concepts {
		fmt.Fprintf(out.out, "%-15s %s\n", c.Name, c.Is)
	}
	return nil
}

// samplesIn names the files of folders among the samples; those that begin with a point are left out.
func samplesIn(args []string) ([]string, error) {
	var names []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() {
			names = append(names, arg) // opening it says what is wrong
			continue
		}
		err = filepath.WalkDir(arg, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case strings.HasPrefix(e.Name(), ".") && path != arg:
				if e.IsDir() {
					return fs.SkipDir
				}
			case e.Type().IsRegular():
				names = append(names, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// shownSamples names samples for a command that reads files: a folder as what is in it.
func shownSamples(args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = arg
		if info, err := os.Stat(arg); err == nil && info.IsDir() {
			out[i] = strings.TrimRight(arg, "/") + "/*"
		}
	}
	return out
}

func environmentLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return draft.Chinese
			}
			break
		}
	}
	return draft.English
}

func knownTables(out *output, dirs []string) ([]*codes.Table, error) {
	var tables []*codes.Table
	for _, dir := range dirs {
		inst, err := loadInstitution(dir)
		if err != nil {
			return nil, folderError(out, dir, err)
		}
		tables = append(tables, inst.Tables()...)
	}
	return tables, nil
}

// writeFolder writes the draft. The folder is made here and nowhere else, so that what fails half-way can be taken away again.
func writeFolder(dir string, d *draft.Draft) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, f := range d.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, f.Bytes, 0o644)
		}
		if err != nil {
			return errors.Join(err, os.RemoveAll(dir))
		}
	}
	return nil
}

func (c mapInitCommand) tell(out *output, id string, d *draft.Draft) error {
	r := drafted{Dir: c.Dir, ID: id, Files: []string{}, Records: d.Records, Guessed: d.Guessed, Doubtful: d.Doubtful, Asked: d.Asked, Refused: d.Refused,
		Questions: d.Questions, Next: []string{"yilian map lint " + c.Dir, "yilian map test " + c.Dir, "yilian map run --map " + c.Dir + " --coverage " + strings.Join(shownSamples(c.Sample), " ")}}
	for _, f := range d.Files {
		r.Files = append(r.Files, f.Name)
		switch folder, _, _ := strings.Cut(f.Name, "/"); folder {
		case "maps":
			r.Maps++
		case "codes":
			r.Codes++
		case "cases":
			r.Cases++
		}
	}
	if r.Questions == nil {
		r.Questions = []draft.Question{}
	}
	if out.json {
		return out.print(r)
	}
	fmt.Fprintf(out.out, "%s: %s, %s, %s from %s\n", c.Dir, count(r.Maps, "map"), count(r.Codes, "code table"), count(r.Cases, "case"), count(r.Records, "record"))
	fmt.Fprintf(out.out, "%s guessed, %d of them marked # ?; %d asked\n", count(r.Guessed, "field"), r.Doubtful, r.Asked)
	if r.Refused > 0 {
		fmt.Fprintf(out.out, "%s would keep samples out\n", count(r.Refused, "finding"))
	}
	fmt.Fprintf(out.out, "%s in %s\n", count(len(r.Questions), "thing")+" to decide", filepath.Join(c.Dir, "TODO.md"))
	for _, line := range r.Next {
		fmt.Fprintln(out.out, "next:", line)
	}
	return nil
}
