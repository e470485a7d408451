package reference

// Fault is a mistake the server can be told to make.
type Fault string

// The faults. What they break stands in hl7.org/fhir/R4/http.html and search.html.
const (
	CreateStatusOK           Fault = "create-status-ok"           // create answers 200
	CreateNoLocation         Fault = "create-no-location"         // create has no Location
	CreateNoETag             Fault = "create-no-etag"             // create has no ETag
	CreateKeepsID            Fault = "create-keeps-id"            // create takes the client's id
	ReadStale                Fault = "read-stale"                 // read returns the first version
	ReadIncomplete           Fault = "read-incomplete"            // read leaves out identifiers
	ReadNoETag               Fault = "read-no-etag"               // read has no ETag
	ReadMissingOK            Fault = "read-missing-ok"            // read of what never was answers 200
	LastModifiedWrong        Fault = "last-modified-wrong"        // Last-Modified is an hour off
	LastUpdatedMissing       Fault = "last-updated-missing"       // meta.lastUpdated is not set
	DeletedStillRead         Fault = "deleted-still-read"         // read finds what was deleted
	DeletedStillFound        Fault = "deleted-still-found"        // search finds what was deleted
	DeleteNotFound           Fault = "delete-not-found"           // delete of what is not there answers 404
	UpdateVersionSame        Fault = "update-version-same"        // an update does not raise the version
	UpdateStatusCreated      Fault = "update-status-created"      // an update of what exists answers 201
	UpdateIDIgnored          Fault = "update-id-ignored"          // an update takes a body of another id
	UpdateMerges             Fault = "update-merges"              // an update keeps elements the body does not have
	IfMatchIgnored           Fault = "if-match-ignored"           // If-Match is not looked at
	IfNoneExistIgnored       Fault = "if-none-exist-ignored"      // a conditional create always creates
	ConditionalUpdateNew     Fault = "conditional-update-new"     // a conditional update always creates
	ConditionalDeleteMany    Fault = "conditional-delete-many"    // a conditional delete ignores its condition
	VReadCurrent             Fault = "vread-current"              // vread returns the current version
	PatchIgnored             Fault = "patch-ignored"              // a patch changes nothing
	SearchIgnoresParameter   Fault = "search-ignores-parameter"   // search finds all
	SearchCaseSensitive      Fault = "search-case-sensitive"      // strings are compared by case
	SearchSystemIgnored      Fault = "search-system-ignored"      // system|code is compared by code alone
	SearchTotalWrong         Fault = "search-total-wrong"         // total is the number of entries on the page
	SearchNoNext             Fault = "search-no-next"             // the link to the next page is missing
	SearchNextRepeats        Fault = "search-next-repeats"        // the next page is the same again
	SearchNoFullURL          Fault = "search-no-full-url"         // entries have no fullUrl
	SearchPostUnsupported    Fault = "search-post-unsupported"    // POST _search answers 404
	HistoryMissesVersion     Fault = "history-misses-version"     // history leaves out the first version
	HistoryOldestFirst       Fault = "history-oldest-first"       // history begins with the oldest
	HistoryNoDeletion        Fault = "history-no-deletion"        // history leaves out deletions
	ContentTypePlain         Fault = "content-type-plain"         // answers are application/json
	XMLUnsupported           Fault = "xml-unsupported"            // XML is asked for, JSON is answered
	OutcomeMissing           Fault = "outcome-missing"            // errors have no OperationOutcome
	ExtensionDropped         Fault = "extension-dropped"          // extensions are lost
	PrimitiveExtensionLost   Fault = "primitive-extension-lost"   // extensions of primitives are lost
	ContainedDropped         Fault = "contained-dropped"          // contained resources are lost
	ArraysReversed           Fault = "arrays-reversed"            // repetitions come back in another order
	DecimalRounded           Fault = "decimal-rounded"            // decimals lose their last zeros
	InvalidAccepted          Fault = "invalid-accepted"           // what is not valid is stored
	TransactionPartial       Fault = "transaction-partial"        // a transaction that fails leaves parts behind
	TransactionReferences    Fault = "transaction-references"     // references between entries stay urn:uuid
	BatchAllOrNothing        Fault = "batch-all-or-nothing"       // one wrong entry fails a batch
	CapabilitiesVersion      Fault = "capabilities-version"       // the statement claims another FHIR version
	CapabilitiesInteraction  Fault = "capabilities-interaction"   // the statement leaves out update
	PreferIgnored            Fault = "prefer-ignored"             // return=minimal gets a body
	RedirectsAway            Fault = "redirects-away"             // the capabilities are redirected to another host
	UnknownTypeEmpty         Fault = "unknown-type-empty"         // search of a type that does not exist finds nothing
	DeletedNotFound          Fault = "deleted-not-found"          // read of what was deleted answers 404
	IfNoneMatchIgnored       Fault = "if-none-match-ignored"      // a read of what the client has sends it again
	IfNoneExistFirst         Fault = "if-none-exist-first"        // a conditional create takes the first of several matches
	ConditionalUpdateFirst   Fault = "conditional-update-first"   // a conditional update takes the first of several matches
	ConditionalDeleteFirst   Fault = "conditional-delete-first"   // a conditional delete takes the first of several matches
	TextMangled              Fault = "text-mangled"               // characters beyond the basic plane become question marks
	PatchFHIRPathUnsupported Fault = "patch-fhirpath-unsupported" // only JSON Patch is taken
	PatchTestIgnored         Fault = "patch-test-ignored"         // a JSON Patch whose test fails is applied
	SearchUnknownIgnored     Fault = "search-unknown-ignored"     // parameters that do not exist are left out
	SearchMalformedEmpty     Fault = "search-malformed-empty"     // a value that is no date finds nothing
	SearchPrefixIgnored      Fault = "search-prefix-ignored"      // ge, lt and their like mean equal
	SearchOrIgnored          Fault = "search-or-ignored"          // of values with commas only the first counts
	SearchRepeatsIgnored     Fault = "search-repeats-ignored"     // of a parameter given twice only the last counts
	SearchModifierIgnored    Fault = "search-modifier-ignored"    // modifiers but missing mean nothing
	SearchMissingIgnored     Fault = "search-missing-ignored"     // :missing finds all
	SearchNextUnfiltered     Fault = "search-next-unfiltered"     // the next page is one of all resources
	SearchPageSkips          Fault = "search-page-skips"          // every page but the first lacks one resource
	SortIgnored              Fault = "sort-ignored"               // _sort is not looked at
	ChainIgnored             Fault = "chain-ignored"              // a chain finds all
	HasIgnored               Fault = "has-ignored"                // _has finds all
	IncludeMissing           Fault = "include-missing"            // _include adds nothing
	IncludeAsMatch           Fault = "include-as-match"           // what is included is marked as a match
	RevIncludeMissing        Fault = "revinclude-missing"         // _revinclude adds nothing
	ElementsIgnored          Fault = "elements-ignored"           // _elements is not looked at
	SummaryIgnored           Fault = "summary-ignored"            // _summary is not looked at
	SubsettedUntold          Fault = "subsetted-untold"           // parts of resources are not marked as such
	AcceptIgnored            Fault = "accept-ignored"             // whatever is asked for, JSON is answered
	ContentTypeIgnored       Fault = "content-type-ignored"       // whatever the content type says, JSON is read
	ConditionalReferences    Fault = "conditional-references"     // references by condition stay as they are
	TransactionNoLocation    Fault = "transaction-no-location"    // a transaction does not say where its entries are
	EverythingMisses         Fault = "everything-misses"          // $everything is the Patient alone
	EverythingOthers         Fault = "everything-others"          // $everything has what belongs to others
	ValidateSilent           Fault = "validate-silent"            // $validate finds nothing wrong
	ValidateStores           Fault = "validate-stores"            // $validate stores what it validates
)

// Faults are all of them.
var Faults = []Fault{
	CreateStatusOK, CreateNoLocation, CreateNoETag, CreateKeepsID, ReadStale, ReadIncomplete, ReadNoETag, ReadMissingOK, LastModifiedWrong,
	LastUpdatedMissing, DeletedStillRead, DeletedStillFound, DeleteNotFound, UpdateVersionSame, UpdateStatusCreated,
	UpdateIDIgnored, UpdateMerges, IfMatchIgnored, IfNoneExistIgnored, ConditionalUpdateNew, ConditionalDeleteMany,
	VReadCurrent, PatchIgnored, SearchIgnoresParameter, SearchCaseSensitive, SearchSystemIgnored, SearchTotalWrong,
	SearchNoNext, SearchNextRepeats, SearchNoFullURL, SearchPostUnsupported, HistoryMissesVersion, HistoryOldestFirst,
	HistoryNoDeletion, ContentTypePlain, XMLUnsupported, OutcomeMissing, ExtensionDropped, PrimitiveExtensionLost,
	ContainedDropped, ArraysReversed, DecimalRounded, InvalidAccepted, TransactionPartial, TransactionReferences,
	BatchAllOrNothing, CapabilitiesVersion, CapabilitiesInteraction, PreferIgnored, RedirectsAway, UnknownTypeEmpty,
	DeletedNotFound, IfNoneMatchIgnored, IfNoneExistFirst, ConditionalUpdateFirst, ConditionalDeleteFirst, TextMangled, PatchFHIRPathUnsupported, PatchTestIgnored, SearchUnknownIgnored, SearchMalformedEmpty, SearchPrefixIgnored, SearchOrIgnored, SearchRepeatsIgnored, SearchModifierIgnored, SearchMissingIgnored, SearchNextUnfiltered, SearchPageSkips, SortIgnored, ChainIgnored, HasIgnored, IncludeMissing, IncludeAsMatch, RevIncludeMissing, ElementsIgnored, SummaryIgnored, SubsettedUntold, AcceptIgnored, ContentTypeIgnored, ConditionalReferences, TransactionNoLocation, EverythingMisses, EverythingOthers, ValidateSilent, ValidateStores,
}
