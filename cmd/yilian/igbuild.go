package main

import (
	"fmt"
	"io"

	"github.com/yilian/yilian/conformance/ig"
)

type igBuildCommand struct {
	Out string `short:"o" placeholder:"FILE" help:"File to write; dev.yilian.alliance-VERSION.tgz here if not given; - for standard output."`
}

func (igBuildCommand) Help() string {
	return `Writes the alliance's implementation guide as a FHIR package that validators and servers can load: profiles with snapshots, extensions,
code systems, value sets, concept maps, search parameters, operations, the ImplementationGuide that lists them, examples. The same
program always writes the same bytes. The guide is built into "yilian validate", which needs no package for it.

With --json one object: file; package and version; fhirVersion; files, each with name, and for resources type, id, url, example.`
}

// builtGuide is what "ig build --json" prints.
type builtGuide struct {
	File        string      `json:"file"`
	Package     string      `json:"package"`
	Version     string      `json:"version"`
	FHIRVersion string      `json:"fhirVersion"`
	Files       []guideFile `json:"files"`
}

// guideFile is one file of the package.
type guideFile struct {
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	ID      string `json:"id,omitempty"`
	URL     string `json:"url,omitempty"`
	Example bool   `json:"example,omitempty"`
}

func (c igBuildCommand) Run(out *output) error {
	if c.Out == "-" {
		_, err := ig.Build(out.out, ig.Guide())
		return err
	}
	if c.Out == "" {
		c.Out = ig.PackageFile()
	}
	done := builtGuide{File: c.Out, Package: ig.Name, Version: ig.Version, FHIRVersion: "4.0.1"}
	definitions, examples := 0, 0
	err := writeFile(c.Out, func(w io.Writer) error {
		files, err := ig.Build(w, ig.Guide())
		for _, f := range files {
			g := guideFile{Name: f.Name, Example: f.Example}
			if f.Resource != nil {
				g.Type, g.ID, g.URL = f.Resource.ResourceType(), f.Resource.ID(), f.Resource.Get("url").Text()
				if f.Example {
					examples++
				} else {
					definitions++
				}
			}
			done.Files = append(done.Files, g)
		}
		return err
	})
	if err != nil {
		return err
	}
	if out.json {
		return out.print(done)
	}
	fmt.Fprintln(out.out, done.File)
	_, err = fmt.Fprintf(out.err, "%s#%s: %s, %s\n", done.Package, done.Version, count(definitions, "definition"), count(examples, "example"))
	return err
}
