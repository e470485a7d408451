package testscript_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/testscript"
	"github.com/yilian/yilian/conformance/testscript/reference"
)

// caught says which scripts of testdata/scripts each fault must make fail; all others must pass.
var caught = map[reference.Fault]string{
	reference.CreateStatusOK:          "create-status fixtures",
	reference.CreateNoLocation:        "create-location",
	reference.CreateNoETag:            "create-etag",
	reference.CreateKeepsID:           "create-id",
	reference.ReadStale:               "patch read-current",
	reference.ReadNoETag:              "read-etag",
	reference.ReadMissingOK:           "capabilities-required read-missing",
	reference.LastModifiedWrong:       "last-modified",
	reference.LastUpdatedMissing:      "last-modified last-updated",
	reference.DeletedStillRead:        "delete-read",
	reference.DeletedStillFound:       "delete-search",
	reference.DeleteNotFound:          "delete-missing",
	reference.UpdateVersionSame:       "update-version",
	reference.UpdateStatusCreated:     "update-status",
	reference.UpdateIDIgnored:         "update-id",
	reference.UpdateMerges:            "update-replaces",
	reference.IfMatchIgnored:          "if-match",
	reference.IfNoneExistIgnored:      "if-none-exist",
	reference.ConditionalUpdateNew:    "conditional-update",
	reference.ConditionalDeleteMany:   "conditional-delete",
	reference.VReadCurrent:            "vread",
	reference.PatchIgnored:            "conditional-patch patch",
	reference.SearchIgnoresParameter:  "search-parameter search-system",
	reference.SearchCaseSensitive:     "search-case",
	reference.SearchSystemIgnored:     "search-system",
	reference.SearchTotalWrong:        "search-total",
	reference.SearchNoNext:            "search-next search-pages",
	reference.SearchNextRepeats:       "search-pages",
	reference.SearchNoFullURL:         "search-full-url",
	reference.SearchPostUnsupported:   "search-post",
	reference.HistoryMissesVersion:    "history",
	reference.HistoryOldestFirst:      "history-order",
	reference.HistoryNoDeletion:       "history-deletion",
	reference.ContentTypePlain:        "content-type xml",
	reference.XMLUnsupported:          "xml",
	reference.OutcomeMissing:          "outcome",
	reference.ExtensionDropped:        "extension",
	reference.PrimitiveExtensionLost:  "primitive-extension",
	reference.ContainedDropped:        "contained",
	reference.ArraysReversed:          "order",
	reference.DecimalRounded:          "decimal",
	reference.InvalidAccepted:         "invalid",
	reference.TransactionPartial:      "transaction-atomic",
	reference.TransactionReferences:   "transaction-references",
	reference.BatchAllOrNothing:       "batch",
	reference.CapabilitiesVersion:     "capabilities",
	reference.CapabilitiesInteraction: "capabilities-required",
	reference.PreferIgnored:           "prefer",
	reference.RedirectsAway:           "capabilities capabilities-required",
	reference.UnknownTypeEmpty:        "unknown-type",
}

func TestEveryFaultIsCaughtByTheScriptsMeantForIt(t *testing.T) {
	suite, err := testscript.Load(os.DirFS("testdata"), "scripts")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range append([]reference.Fault{"none"}, reference.Faults...) {
		t.Run(string(fault), func(t *testing.T) {
			var got []string
			var why strings.Builder
			for _, script := range suite.Scripts {
				report := runOne(t, reference.New(fault), script, nil)
				if !report.Result.OK() {
					got = append(got, script.ID)
					why.WriteString("\n" + script.ID + ": " + report.Message + problems(report))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(caught[fault], strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got)\n%s%s", diff, why.String())
			}
		})
	}
	if len(caught) != len(reference.Faults) {
		t.Errorf("%d faults are listed, %d are said to be caught", len(reference.Faults), len(caught))
	}
}
