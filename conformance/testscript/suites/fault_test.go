package suites_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yilian/yilian/conformance/testscript/reference"
)

// asking stands for all scripts that ask for the server's CapabilityStatement.
const asking = "(every script that asks for capabilities)"

// caught says which scripts each fault must make fail; all others must pass.
var caught = map[reference.Fault]string{
	reference.CreateStatusOK:           "conditional-create create create-id exchange-order-result exchange-referral-round-trip xml",
	reference.CreateNoLocation:         "create",
	reference.CreateNoETag:             "create",
	reference.CreateKeepsID:            "create-id",
	reference.ReadStale:                "conditional-update exchange-order-result exchange-order-revoked exchange-order-transaction exchange-referral-decided-once if-match patch-fhirpath patch-json read-current update-replaces",
	reference.ReadIncomplete:           "exchange-order-result exchange-referral-round-trip read read-current update-create update-replaces xml",
	reference.ReadNoETag:               "read-unchanged read-version",
	reference.ReadMissingOK:            "batch outcome read-missing xml",
	reference.LastModifiedWrong:        "read-version",
	reference.LastUpdatedMissing:       "exchange-referral-followed read-version search-common",
	reference.DeletedStillRead:         "delete",
	reference.DeletedStillFound:        "conditional-delete delete-search",
	reference.DeleteNotFound:           "delete-again",
	reference.UpdateVersionSame:        "exchange-referral-decided-once exchange-referral-followed if-match update vread",
	reference.UpdateStatusCreated:      "conditional-update update",
	reference.UpdateIDIgnored:          "update-id",
	reference.UpdateMerges:             "update-replaces",
	reference.IfMatchIgnored:           "exchange-referral-decided-once if-match",
	reference.IfNoneExistIgnored:       "conditional-create transaction-conditional",
	reference.ConditionalUpdateNew:     "conditional-update",
	reference.ConditionalDeleteMany:    "conditional-delete",
	reference.VReadCurrent:             "vread",
	reference.PatchIgnored:             "patch-fhirpath patch-json",
	reference.SearchIgnoresParameter:   "conditional-delete conditional-update exchange-order-corrected exchange-order-result exchange-order-revoked exchange-referral-rejected exchange-referral-round-trip outcome search-and search-chain search-date search-malformed search-missing search-or search-pages search-post search-quantity search-reference search-string search-token search-unknown xml",
	reference.SearchCaseSensitive:      "search-chain search-string",
	reference.SearchSystemIgnored:      "search-token",
	reference.SearchTotalWrong:         "search-bundle search-summary",
	reference.SearchNoNext:             "search-pages",
	reference.SearchNextRepeats:        "search-pages",
	reference.SearchNoFullURL:          "search-bundle",
	reference.SearchPostUnsupported:    "search-post",
	reference.HistoryMissesVersion:     "exchange-order-corrected history history-deletion",
	reference.HistoryOldestFirst:       "history history-deletion",
	reference.HistoryNoDeletion:        "history-deletion",
	reference.ContentTypePlain:         "json outcome search-bundle xml",
	reference.XMLUnsupported:           "xml",
	reference.OutcomeMissing:           "broken conditional-create conditional-update delete if-match invalid outcome patch-json read-missing search-malformed search-unknown transaction-atomic unknown-type update-id vread xml",
	reference.ExtensionDropped:         "fidelity",
	reference.PrimitiveExtensionLost:   "fidelity",
	reference.ContainedDropped:         "fidelity",
	reference.ArraysReversed:           "fidelity patch-json",
	reference.DecimalRounded:           "fidelity",
	reference.InvalidAccepted:          "batch invalid transaction-atomic",
	reference.TransactionPartial:       "transaction-atomic",
	reference.TransactionReferences:    "exchange-order-transaction transaction-conditional transaction-references",
	reference.BatchAllOrNothing:        "batch",
	reference.CapabilitiesVersion:      "capabilities",
	reference.CapabilitiesInteraction:  "capabilities",
	reference.PreferIgnored:            "prefer",
	reference.RedirectsAway:            asking,
	reference.UnknownTypeEmpty:         "unknown-type",
	reference.DeletedNotFound:          "delete",
	reference.IfNoneMatchIgnored:       "read-unchanged",
	reference.IfNoneExistFirst:         "conditional-create",
	reference.ConditionalUpdateFirst:   "conditional-update",
	reference.ConditionalDeleteFirst:   "conditional-delete",
	reference.TextMangled:              "fidelity",
	reference.PatchFHIRPathUnsupported: "patch-fhirpath",
	reference.PatchTestIgnored:         "patch-json",
	reference.SearchUnknownIgnored:     "search-unknown",
	reference.SearchMalformedEmpty:     "outcome search-malformed",
	reference.SearchPrefixIgnored:      "search-common search-date search-quantity",
	reference.SearchOrIgnored:          "search-or",
	reference.SearchRepeatsIgnored:     "search-and",
	reference.SearchModifierIgnored:    "search-string search-token",
	reference.SearchMissingIgnored:     "search-missing",
	reference.SearchNextUnfiltered:     "search-pages",
	reference.SearchPageSkips:          "search-pages",
	reference.SortIgnored:              "search-sort",
	reference.ChainIgnored:             "search-chain",
	reference.HasIgnored:               "search-has",
	reference.IncludeMissing:           "exchange-order-result-includes search-include",
	reference.IncludeAsMatch:           "exchange-order-result-includes search-include search-revinclude",
	reference.RevIncludeMissing:        "exchange-order-result-includes search-revinclude",
	reference.ElementsIgnored:          "search-elements",
	reference.SummaryIgnored:           "search-summary",
	reference.SubsettedUntold:          "search-elements search-summary",
	reference.AcceptIgnored:            "json",
	reference.ContentTypeIgnored:       "broken",
	reference.ConditionalReferences:    "transaction-conditional",
	reference.TransactionNoLocation:    "batch transaction-conditional transaction-references",
	reference.EverythingMisses:         "everything",
	reference.EverythingOthers:         "everything",
	reference.ValidateSilent:           "validate",
	reference.ValidateStores:           "validate",
}

func TestEveryFaultIsCaughtByTheScriptsMeantForIt(t *testing.T) {
	server, exchange := load(t, "server"), load(t, "exchange")
	all := *server
	all.Scripts = slices.Concat(server.Scripts, exchange.Scripts)
	var statements []string
	failing := map[string]bool{}
	for _, s := range all.Scripts {
		for _, c := range s.Node().Path("metadata", "capability").Items() {
			if c.Get("required").Text() == "true" {
				statements = append(statements, s.ID)
			}
		}
	}
	for _, want := range caught {
		for _, id := range strings.Fields(want) {
			failing[full(id)] = true
		}
	}
	for _, s := range all.Scripts {
		if !failing[s.ID] {
			t.Errorf("no fault makes %s fail, so it may be one that cannot", s.ID)
		}
	}
	if len(caught) != len(reference.Faults) {
		t.Errorf("%d faults are listed, %d are said to be caught", len(reference.Faults), len(caught))
	}
	for _, fault := range append([]reference.Fault{"none"}, reference.Faults...) {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			want := strings.Fields(caught[fault])
			for i, id := range want {
				want[i] = full(id)
			}
			if caught[fault] == asking {
				want = statements
			}
			slices.Sort(want)
			got, why := bad(runSuite(t, &all, reference.New(fault)))
			if diff := cmp.Diff(strings.Join(want, " "), strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got)\n%s%s", diff, why)
			}
		})
	}
}

// full is the id of a script: those of suite "server" are short in the table.
func full(id string) string {
	if strings.HasPrefix(id, "exchange-") {
		return id
	}
	return "server-" + id
}
