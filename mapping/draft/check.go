package draft

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
)

// checked is how many records of the samples are mapped with the drafted folder.
const checked = 2000

// folder is the draft as a file system.
func folder(files []mapping.File) (fs.FS, error) {
	a := &txtar.Archive{}
	for _, f := range files {
		a.Files = append(a.Files, txtar.File{Name: f.Name, Data: f.Bytes})
	}
	return txtar.FS(a)
}

// Load loads the drafted folder.
func (d *Draft) Load() (*mapping.Institution, error) {
	fsys, err := folder(d.Files)
	if err != nil {
		return nil, err
	}
	o := mapping.Options{Lazy: true}
	for _, f := range d.Files {
		if f.Name == "institution.yaml" && bytes.Contains(f.Bytes, []byte("base: true")) { // reading the built-in maps costs more than all the rest
			o.Base = base.FS
		}
	}
	return mapping.Load(fsys, o)
}

// check loads the folder and maps samples with it. A map that would not load is left out and named: a folder that loads is worth more
// than one that is complete.
func (d *drafter) check() {
	var inst *mapping.Institution
	for range 8 {
		var err error
		if inst, err = d.out.Load(); err == nil {
			break
		}
		inst = nil
		var wrong *mapping.Error
		if !errors.As(err, &wrong) || !d.leaveOut(wrong) {
			d.ask("institution.yaml", "", text{"The draft does not load: %v", "草稿无法加载:%v"}, err)
			return
		}
	}
	if inst != nil {
		d.tryOut(inst)
	}
}

func (d *drafter) leaveOut(wrong *mapping.Error) bool {
	gone := false
	for _, f := range wrong.Findings {
		if f.Warning {
			continue
		}
		d.out.Files = slices.DeleteFunc(d.out.Files, func(have mapping.File) bool {
			if have.Name != f.File || !strings.HasPrefix(have.Name, "maps/") {
				return false
			}
			d.ask(have.Name, fmt.Sprintf("%d:%d", f.Line, f.Column), text{"This map was left out, it would not load: %s", "该映射无法加载,已略去:%s"}, f.Text)
			gone = true
			return true
		})
	}
	return gone
}

// tryOut maps samples, and asks about what would be refused.
func (d *drafter) tryOut(inst *mapping.Institution) {
	refused := map[string]int{}
	place := map[string]string{}
	n := 0
	for cut, err := range inst.Open("", d.files, mapping.IntakeLimits{}).Records() {
		if n++; n > checked {
			break
		}
		if err != nil {
			d.ask("maps", "", text{"The samples cannot be read together: %v", "样本无法合并读取:%v"}, err)
			return
		}
		if cut.Err != nil || cut.Record == nil {
			continue // already told
		}
		res, err := inst.Map(cut.Record, mapping.RunOptions{Salt: []byte("draft")})
		if err != nil || !res.Rejected() || res.Map == "" { // that no map reads them is asked already
			continue
		}
		for _, i := range res.Issues {
			if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
				key := res.Map + " " + i.ID + " " + i.Expression
				refused[key]++
				place[key] = "maps/" + res.Map + ".yaml: " + i.Expression
			}
		}
	}
	d.out.Checked = min(n, checked)
	for _, key := range sortedKeys(refused) {
		d.out.Refused += refused[key]
		d.ask(place[key], d.say(text{"%d samples", "%d个样本"}, refused[key]), text{"Such records would be refused [%s].", "这类记录会被拒收[%s]。"}, key)
	}
}
