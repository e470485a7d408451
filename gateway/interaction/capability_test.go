package interaction_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/fhir"
)

// codes are the values of an element in every item of a list.
func codes(list *fhir.Node, element string) (out []string) {
	for _, n := range list.Items() {
		out = append(out, n.Get(element).Text())
	}
	slices.Sort(out)
	return out
}

func TestCapabilitiesFollowTheSettings(t *testing.T) {
	for _, on := range []bool{false, true} {
		f := newFixture(t)
		f.UpdateCreates, f.DeletesMany = on, on
		statement := tree(t, string(f.Capabilities()))
		if issues := f.Validator.Resource(statement); fhir.HasErrors(issues) {
			t.Errorf("not valid: %v", issues[:min(3, len(issues))])
		}
		rest := statement.Get("rest").At(0)
		if got := strings.Join(codes(rest.Get("interaction"), "code"), " "); !strings.Contains(got, "batch history-system") || !strings.Contains(got, "transaction") {
			t.Errorf("the system can %s", got)
		}
		for _, r := range rest.Get("resource").Items() {
			want := map[string]string{
				"updateCreate": map[bool]string{false: "false", true: "true"}[on], "conditionalCreate": "true", "conditionalUpdate": "true",
				"conditionalRead": "full-support", "conditionalDelete": map[bool]string{false: "single", true: "multiple"}[on],
			}
			for name, value := range want {
				if got := r.Get(name).Text(); got != value {
					t.Errorf("%s of %s is %s, want %s", name, r.Get("type").Text(), got, value)
				}
			}
			if got := strings.Join(codes(r.Get("interaction"), "code"), " "); got != "create delete history-instance history-type patch read search-type update vread" {
				t.Errorf("%s can %s", r.Get("type").Text(), got)
			}
		}
	}
}
