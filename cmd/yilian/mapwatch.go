package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/maptest"
)

type mapWatchCommand struct {
	Dir      string        `arg:"" help:"Folder of the institution whose maps are being written."`
	Files    []string      `arg:"" optional:"" name:"file" help:"Records to map again after each change. The files of a folder are one delivery."`
	Source   string        `help:"Source of institution.yaml that the files come from; default: found by their content and names." placeholder:"NAME"`
	Interval time.Duration `default:"500ms" help:"How often the folder is looked at."`
	Examples int           `default:"3" help:"Places to show of each kind of difference."`
	Once     bool          `help:"Look at the folder, tell what is wrong with it, and end at its first change."`
}

func (mapWatchCommand) Help() string {
	return `Looks at the folder until it is interrupted. Whenever a file of it was saved, it is loaded again: what is wrong with it is printed,
failing cases are, and what the change makes of the records differently, compared with the last state of the folder that loaded, as
"yilian map diff" prints it. Nothing is stored and no server is told: "yilian institution push" does that.

With --json one object a line for each change: findings, failed (cases), diff.`
}

func (c mapWatchCommand) Run(ctx context.Context, out *output) error {
	if info, err := os.Stat(c.Dir); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is a file; want an institution's folder", c.Dir)
	}
	w := &watch{mapWatchCommand: c, output: out}
	var last [sha256.Size]byte
	tick := time.NewTicker(max(c.Interval, 10*time.Millisecond))
	defer tick.Stop()
	for turn := 0; ; {
		state, err := stateOf(c.Dir)
		if err != nil {
			return err
		}
		if state != last {
			last = state
			if err := w.changed(ctx); err != nil {
				return err
			}
			if turn++; c.Once && turn > 1 {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// maxWatched bounds what of a file decides whether it changed.
const maxWatched = 16 << 20

// stateOf sums up the names and contents of a folder. A file that goes away while it is read is not there.
func stateOf(dir string) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return ignoreGone(err)
		}
		f, err := root.Open(path)
		if err != nil {
			return ignoreGone(err)
		}
		defer f.Close()
		fmt.Fprintf(h, "%d %s\n", len(path), path)
		_, err = io.Copy(h, io.LimitReader(f, maxWatched))
		return err
	})
	h.Sum(sum[:0])
	return sum, err
}

func ignoreGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// watch is what is known of the folder between two looks.
type watch struct {
	mapWatchCommand
	*output
	last *mapping.Institution // the last that loaded
}

type watched struct {
	Findings []string    `json:"findings"`
	Failed   []string    `json:"failed"`
	Diff     *diffReport `json:"diff,omitempty"`
}

// changed loads the folder and tells what is different now.
func (w *watch) changed(ctx context.Context) error {
	seen := watched{Findings: []string{}, Failed: []string{}}
	inst, found, err := w.load()
	if err != nil {
		return err
	}
	for _, f := range found {
		seen.Findings = append(seen.Findings, f.String())
		w.say(f)
	}
	if inst == nil {
		return w.end(seen)
	}
	cases, unread := maptest.Cases(os.DirFS(w.Dir))
	if unread != nil {
		seen.Failed = append(seen.Failed, unread.Error())
		w.say(unread)
	}
	for _, one := range cases {
		if rep := maptest.Run(inst, one); !rep.Passed() {
			seen.Failed = append(seen.Failed, rep.Case)
			w.say(rep)
		}
	}
	before := w.last
	w.last = inst
	if before != nil && len(w.Files) > 0 {
		rep, err := difference(ctx, before, inst, fromSource(w.Source, corpus(w.output, w.Files)), max(w.Examples, 1))
		if err != nil {
			seen.Findings = append(seen.Findings, err.Error())
			w.say(err)
			return w.end(seen)
		}
		shown := diffOf(rep)
		seen.Diff = &shown
		if !w.json {
			if err := printDifference(w.output, rep); err != nil {
				return err
			}
		}
	}
	if !w.json {
		fmt.Fprintf(w.err, "%s, %d failed; version %s\n", count(len(cases), "case"), len(seen.Failed), inst.Version())
	}
	return w.end(seen)
}

func (w *watch) say(what any) {
	if !w.json {
		fmt.Fprintln(w.out, what)
	}
}

func (w *watch) end(seen watched) error {
	if w.json {
		return w.print(seen)
	}
	return nil
}

// load reads the folder: the institution, or what keeps it from loading.
func (w *watch) load() (*mapping.Institution, []mapping.Finding, error) {
	inst, err := loadInstitution(w.Dir)
	found, err := findingsOf(inst, err)
	if err != nil {
		return nil, nil, err
	}
	for i := range found {
		found[i].File = inFolder(w.Dir, found[i].File)
	}
	return inst, found, nil
}
