package maptest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/mapping"
)

// Salt makes the ids of cases.
const Salt = "yilian case salt"

// Received is when the records of every case came in.
var Received = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// Report is what became of a case.
type Report struct {
	Case     string
	Diff     []string // what differs; none when the case passes
	Got      []*fhir.Node
	Issues   []string
	Coverage *mapping.Coverage
}

// Passed reports whether the case came out as wanted.
func (r *Report) Passed() bool { return len(r.Diff) == 0 }

// Run runs one case with the institution's maps.
func Run(inst *mapping.Institution, c *Case) Report {
	rep := Report{Case: c.Name, Coverage: &mapping.Coverage{}}
	var trees []*fhir.Node
	names := naming{ids: map[string]string{}, used: map[string]int{}}
	rejected := false
	for cut, err := range inst.Open(c.Source, c.Files, mapping.IntakeLimits{}).Records() {
		if err != nil {
			rep.Diff = append(rep.Diff, err.Error())
			return rep
		}
		if cut.Err != nil {
			rejected = true
			rep.Issues = append(rep.Issues, "error: "+cut.Err.Error()+" ["+cut.Err.Code+"]")
			continue
		}
		res, err := inst.Map(cut.Record, mapping.RunOptions{Salt: []byte(Salt), Received: Received, Coverage: true})
		if err != nil {
			rep.Diff = append(rep.Diff, err.Error())
			return rep
		}
		rep.Coverage.Merge(res.Coverage)
		rejected = rejected || res.Rejected()
		for _, i := range res.Issues {
			rep.Issues = append(rep.Issues, i.String())
		}
		for i := range res.Resources {
			r := &res.Resources[i]
			names.add(r)
			if r.Write != mapping.Reference {
				trees = append(trees, r.Tree)
			}
		}
	}
	for _, tree := range trees {
		names.rename(tree)
	}
	rep.Got = trees
	if c.Want != nil {
		rep.Diff = compare(c.Want, trees)
	}
	rep.Diff = append(rep.Diff, compareElements(c.places, trees)...)
	switch {
	case c.Issues != nil:
		rep.Diff = append(rep.Diff, compareLines(c.Issues, rep.Issues)...)
	case rejected:
		for _, i := range rep.Issues {
			if strings.Contains(i, "error: ") {
				rep.Diff = append(rep.Diff, "not wanted: "+i)
			}
		}
	}
	return rep
}

// naming gives ids readable names.
type naming struct {
	ids  map[string]string // "Observation/id" → "observation-2"
	used map[string]int    // "Observation/observation" → how often
}

func (n *naming) add(r *mapping.Resource) {
	ref := r.Reference()
	if r.ID == "" || n.ids[ref] != "" {
		return
	}
	key := r.Type + "/" + r.Rule
	n.used[key]++
	n.ids[ref] = r.Rule
	if n.used[key] > 1 {
		n.ids[ref] = r.Rule + "-" + strconv.Itoa(n.used[key])
	}
}

// rename writes names in place of ids, in the resource and in references.
func (n *naming) rename(tree *fhir.Node) {
	typ := tree.ResourceType()
	if name := n.ids[typ+"/"+tree.ID()]; name != "" {
		tree.Set("id", fhir.NewString(name))
	}
	n.references(tree)
}

func (n *naming) references(node *fhir.Node) {
	for _, k := range node.All() {
		if k.Name() == "reference" && k.Kind() == fhir.String {
			if name := n.ids[k.Text()]; name != "" {
				typ, _, _ := strings.Cut(k.Text(), "/")
				node.Set("reference", fhir.NewString(typ+"/"+name))
			}
			continue
		}
		n.references(k)
	}
}

// compareLines compares issues in any order.
func compareLines(want, got []string) []string {
	left := map[string]int{}
	for _, g := range got {
		left[g]++
	}
	var diff []string
	for _, w := range want {
		if left[w] == 0 {
			diff = append(diff, "missing issue: "+w)
			continue
		}
		left[w]--
	}
	for _, g := range got {
		if left[g] > 0 {
			left[g]--
			diff = append(diff, "not wanted: "+g)
		}
	}
	return diff
}

// Update returns the case's file with what came out in place of what was wanted. It is for a person to read before it is kept.
func Update(c *Case, rep Report) []byte {
	a := &txtar.Archive{Comment: c.archive.Comment}
	for _, f := range c.archive.Files {
		if f.Name != wantJSON && f.Name != wantIssues {
			a.Files = append(a.Files, f)
		}
	}
	body := fhir.NewArray()
	for _, g := range rep.Got {
		body.Append(g.Clone())
	}
	a.Files = append(a.Files, txtar.File{Name: wantJSON, Data: append(body.AppendIndent(nil), '\n')})
	if len(rep.Issues) > 0 || c.Issues != nil {
		a.Files = append(a.Files, txtar.File{Name: wantIssues, Data: []byte(strings.Join(rep.Issues, "\n") + "\n")})
	}
	return txtar.Format(a)
}

// String writes the report as a person reads it.
func (r Report) String() string {
	if r.Passed() {
		return "ok   " + r.Case
	}
	var b strings.Builder
	fmt.Fprintf(&b, "FAIL %s", r.Case)
	for _, d := range r.Diff {
		b.WriteString("\n     " + d)
	}
	return b.String()
}
