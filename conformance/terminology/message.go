package terminology

import (
	_ "embed"

	"github.com/yilian/yilian/conformance/fhir"
)

// Refusal says why a question cannot be answered, in the words of a finding. Issue.ID names the reason.
type Refusal struct {
	Issue fhir.Issue
}

func (r *Refusal) Error() string { return r.Issue.Text }

// Texts are the words in both languages.
func (r *Refusal) Texts() fhir.Text {
	return fhir.Text{English: r.Issue.Text, Chinese: r.Issue.Chinese}
}

//go:embed messages.txt
var messagesFile string

var texts = fhir.ReadMessages(messagesFile)

func refuse(m fhir.Message, details ...any) *Refusal {
	return &Refusal{m.Issue(fhir.Error, details...)}
}

// The messages. What they name are canonical URLs, properties and limits, never a code or display that was asked about.
var (
	msgValueSetUnknown = texts.New("value-set-unknown", fhir.TypeNotFound)
	msgValueSetCyclic  = texts.New("value-set-cyclic", fhir.TypeInvalid)
	msgValueSetDeep    = texts.New("value-set-too-deep", fhir.TypeTooCostly)
	msgValueSetLarge   = texts.New("value-set-too-large", fhir.TypeTooCostly)
	msgValueSetEmpty   = texts.New("value-set-undefined", fhir.TypeIncomplete)
	msgIncludeEmpty    = texts.New("value-set-include-empty", fhir.TypeInvalid)

	msgStored = texts.New("value-set-expansion-reused", fhir.TypeInformational)

	msgSystemUnknown      = texts.New("code-system-unknown", fhir.TypeNotFound)
	msgSystemVersion      = texts.New("code-system-version-unknown", fhir.TypeNotFound)
	msgSystemVersionCheck = texts.New("code-system-version-mismatch", fhir.TypeBusinessRule)
	msgSystemAbsent       = texts.New("code-system-not-present", fhir.TypeNotFound)
	msgSystemPartial      = texts.New("code-system-incomplete", fhir.TypeIncomplete)
	msgSystemInfinite     = texts.New("code-system-infinite", fhir.TypeTooCostly)
	msgSystemLarge        = texts.New("code-system-too-large", fhir.TypeTooCostly)
	msgSystemDuplicate    = texts.New("code-system-duplicate-code", fhir.TypeDuplicate)
	msgSystemCycle        = texts.New("code-system-hierarchy-cyclic", fhir.TypeInvalid)
	msgSystemParent       = texts.New("code-system-parent-unknown", fhir.TypeInvalid)

	msgFilterOp      = texts.New("filter-unsupported", fhir.TypeNotSupported)
	msgFilterCode    = texts.New("filter-code-unknown", fhir.TypeCodeInvalid)
	msgFilterValue   = texts.New("filter-value-invalid", fhir.TypeInvalid)
	msgPatternCostly = texts.New("filter-pattern-too-costly", fhir.TypeTooCostly)

	msgTooCostly   = texts.New("expansion-too-costly", fhir.TypeTooCostly)
	msgTooMuchWork = texts.New("terminology-too-costly", fhir.TypeTooCostly)
	msgParameter   = texts.New("parameter-invalid", fhir.TypeInvalid)

	msgParameterUnknown = texts.New("parameter-unknown", fhir.TypeNotSupported)
	msgParameterMissing = texts.New("parameter-missing", fhir.TypeRequired)
	msgOperationUnknown = texts.New("operation-unknown", fhir.TypeNotSupported)

	msgCodeUnknown      = texts.New("code-unknown", fhir.TypeCodeInvalid)
	msgCodeCase         = texts.New("code-case-different", fhir.TypeCodeInvalid)
	msgCodeMissing      = texts.New("code-missing", fhir.TypeRequired)
	msgCodeOutside      = texts.New("code-not-in-value-set", fhir.TypeCodeInvalid)
	msgConceptOutside   = texts.New("concept-not-in-value-set", fhir.TypeCodeInvalid)
	msgCodeAbstract     = texts.New("code-abstract", fhir.TypeBusinessRule)
	msgCodeInactive     = texts.New("code-inactive", fhir.TypeBusinessRule)
	msgDisplayWrong     = texts.New("display-wrong", fhir.TypeInvalid)
	msgSystemMissing    = texts.New("coding-system-missing", fhir.TypeRequired)
	msgSystemOther      = texts.New("coding-system-other", fhir.TypeInvalid)
	msgSystemIsValueSet = texts.New("coding-system-value-set", fhir.TypeInvalid)
	msgSystemRelative   = texts.New("coding-system-relative", fhir.TypeInvalid)

	msgMapUnknown   = texts.New("concept-map-unknown", fhir.TypeNotFound)
	msgMapNone      = texts.New("concept-map-none", fhir.TypeNotFound)
	msgMapCyclic    = texts.New("concept-map-cyclic", fhir.TypeInvalid)
	msgMapLarge     = texts.New("concept-map-too-large", fhir.TypeTooCostly)
	msgMapUnmatched = texts.New("translation-none", fhir.TypeNotFound)
)
