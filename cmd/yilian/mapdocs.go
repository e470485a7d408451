package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/yilian/yilian/mapping/fieldtable"
)

type mapDocsCommand struct {
	Dir  string `arg:"" help:"Folder with institution.yaml, maps and codes."`
	To   string `default:"." help:"Folder to write to." placeholder:"FOLDER"`
	Lang string `default:"zh" enum:"zh,en" help:"Language of the paper: zh or en."`
}

func (mapDocsCommand) Help() string {
	return `Writes the field table of an institution, which a hospital and its vendor sign: every element that the maps fill, of which local
field, how, by which code table and when; an index of all local fields; the code tables. It is written twice, as ID-fields.md and as
ID-fields.xlsx, ID being the institution's id. Files that are there already are replaced.

With --json one object: markdown and workbook, the files; institution; version; maps, elements, fields and tables, numbers of them.`
}

// documented is what "map docs --json" prints.
type documented struct {
	Markdown    string `json:"markdown"`
	Workbook    string `json:"workbook"`
	Institution string `json:"institution"`
	Version     string `json:"version"`
	Maps        int    `json:"maps"`
	Elements    int    `json:"elements"`
	Fields      int    `json:"fields"`
	Tables      int    `json:"tables"`
}

func (c mapDocsCommand) Run(out *output) error {
	inst, err := loadInstitution(c.Dir)
	if err != nil {
		return folderError(out, c.Dir, err)
	}
	paper := fieldtable.New(inst, c.Lang)
	done := documented{Institution: inst.ID(), Version: inst.Version(), Maps: len(paper.Sections), Fields: len(paper.Fields), Tables: len(paper.Tables),
		Markdown: filepath.Join(c.To, inst.ID()+"-fields.md"), Workbook: filepath.Join(c.To, inst.ID()+"-fields.xlsx")}
	for _, s := range paper.Sections {
		for _, r := range s.Resources {
			done.Elements += len(r.Rows)
		}
	}
	if err := writeFile(done.Markdown, paper.Markdown); err != nil {
		return err
	}
	if err := writeFile(done.Workbook, paper.Workbook); err != nil {
		return err
	}
	if out.json {
		return out.print(done)
	}
	fmt.Fprintln(out.out, done.Markdown)
	fmt.Fprintln(out.out, done.Workbook)
	_, err = fmt.Fprintf(out.err, "%s: %s, %s, %s, %s\n", inst.ID(), count(done.Maps, "map"), count(done.Elements, "element"),
		count(done.Fields, "local field"), count(done.Tables, "code table"))
	return err
}

func writeFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
	}()
	return write(f)
}
