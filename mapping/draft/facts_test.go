package draft_test

import (
	"path"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/internal/alliancegen"
	"github.com/yilian/yilian/internal/alliancetest"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/draft"
)

// What a folder carries that nobody has touched since it was drafted: the facts of the ledger that its resources state. What is missing
// is mostly what no sample tells: what digits mean, and the codes of standards.
func TestFactsThatADraftCarries(t *testing.T) {
	a := alliancegen.Generate(1, alliancegen.Options{})
	v := validate.New(definitions.R4(), validate.Options{})
	for id, least := range map[string]int{"county-hospital": 80, "regional-lab": 85, "city-hospital": 75, "township-center": 75} {
		t.Run(id, func(t *testing.T) {
			deliveries := deliveriesOf(a, id)
			var all []mapping.File
			for _, d := range deliveries {
				all = append(all, d...)
			}
			inst := load(t, from(t, all, draft.Options{ID: id, Name: id}))
			h := &alliancetest.Holdings{}
			stored := map[string]*fhir.Node{}
			stamps := map[string]mapping.Stamp{}
			for _, delivery := range deliveries {
				for cut, err := range inst.Open("", delivery, mapping.IntakeLimits{}).Records() {
					if err != nil {
						t.Fatal(err)
					}
					if cut.Err != nil {
						t.Errorf("not read: %v", cut.Err)
						continue
					}
					res, err := inst.Map(cut.Record, mapping.RunOptions{Salt: []byte("x")})
					if err != nil || res.Rejected() {
						t.Errorf("refused: %v %v", err, res.Issues)
						continue
					}
					for i := range res.Resources {
						r := &res.Resources[i]
						key := r.Reference()
						if last, ok := stamps[key]; r.Write == mapping.Reference || ok && r.Write != mapping.Merge && older(res.Stamp, last) {
							continue
						}
						stored[key] = r.Over(stored[key])
						if r.Write != mapping.Merge {
							stamps[key] = res.Stamp
						}
					}
				}
			}
			invalid := 0
			for _, tree := range stored {
				h.Add(id, tree)
				for _, i := range v.Resource(tree) {
					if i.Severity == fhir.Error || i.Severity == fhir.Fatal {
						if invalid++; invalid < 5 {
							t.Errorf("%s: %s", tree.ResourceType(), i)
						}
					}
				}
			}
			facts := alliancetest.Check(h, ledgerOf(a.Ledger, id))
			found := facts.Checked - len(facts.Missing)
			t.Logf("%d of %d facts (%d %%), %d resources", found, facts.Checked, found*100/facts.Checked, len(stored))
			if testing.Verbose() {
				kinds := map[string]int{}
				for _, m := range facts.Missing {
					kinds[kindOf(m)]++
				}
				for k, n := range kinds {
					t.Logf("missing %4d × %s", n, k)
				}
			}
			if found*100 < least*facts.Checked {
				t.Errorf("%d of %d facts; want at least %d in a hundred", found, facts.Checked, least)
			}
		})
	}
}

func older(a, b mapping.Stamp) bool {
	return a.Time < b.Time || a.Time == b.Time && a.Sequence < b.Sequence
}

// kindOf is a missing fact without what it is about.
func kindOf(m string) string {
	before, _, _ := strings.Cut(m, ": got")
	f := strings.Fields(before)
	return f[0] + " … " + f[len(f)-1]
}

// deliveriesOf are an institution's files, by delivery in order of arrival.
func deliveriesOf(a *alliancegen.Alliance, id string) [][]mapping.File {
	var out [][]mapping.File
	last := ""
	for _, f := range a.Deliveries() {
		dir := path.Dir(f.Path)
		if _, name, _ := strings.Cut(path.Base(dir), "-"); !strings.HasPrefix(name, id) {
			continue
		}
		if dir != last {
			out, last = append(out, nil), dir
		}
		out[len(out)-1] = append(out[len(out)-1], mapping.File{Name: f.Path, Bytes: f.Bytes})
	}
	return out
}

// ledgerOf keeps of the ledger what one institution has sent.
func ledgerOf(l *alliancegen.Ledger, id string) *alliancegen.Ledger {
	out := *l
	out.Persons, out.Departments, out.Staff = nil, nil, nil
	for _, p := range l.Persons {
		p.Patients = of(p.Patients, func(x *alliancegen.Patient) bool { return x.Institution == id })
		p.Visits = of(p.Visits, func(x *alliancegen.Visit) bool { return x.Institution == id })
		p.Orders = of(p.Orders, func(x *alliancegen.Order) bool { return x.Institution == id })
		p.Reports = of(p.Reports, func(x *alliancegen.Report) bool { return x.Institution == id })
		p.Prescriptions = of(p.Prescriptions, func(x *alliancegen.Rx) bool { return x.Institution == id })
		p.Referrals = of(p.Referrals, func(x *alliancegen.Referral) bool { return x.Institution == id })
		p.Allergies = of(p.Allergies, func(x *alliancegen.Allergy) bool { return x.Institution == id })
		p.Appointments = of(p.Appointments, func(x *alliancegen.Appointment) bool { return x.Institution == id })
		p.Documents = of(p.Documents, func(x *alliancegen.Document) bool { return x.Institution == id })
		out.Persons = append(out.Persons, p)
	}
	out.Departments = of(l.Departments, func(x alliancegen.Department) bool { return x.Institution == id })
	out.Staff = of(l.Staff, func(x alliancegen.Member) bool { return x.Institution == id })
	return &out
}

func of[T any](list []T, is func(T) bool) []T {
	var out []T
	for _, x := range list {
		if is(x) {
			out = append(out, x)
		}
	}
	return out
}
