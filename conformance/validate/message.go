package validate

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// message is a kind of finding: its stable id and the issue type it travels
// under. Its texts are in the catalogue.
type message struct {
	id   string
	code fhir.IssueType
}

// texts are what a message says. {1} stands for the first detail.
type texts struct{ english, chinese string }

//go:embed messages.txt
var messagesFile string

var catalogue = readCatalogue(messagesFile)

// readCatalogue reads entries of three lines: id, English, Chinese.
func readCatalogue(file string) map[string]texts {
	out := map[string]texts{}
	for entry := range strings.SplitSeq(file, "\n\n") {
		var lines []string
		for line := range strings.Lines(entry) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		if len(lines) == 3 {
			out[lines[0]] = texts{lines[1], lines[2]}
		}
	}
	return out
}

// newMessage refuses an id without texts, so that a program with one does not
// start.
func newMessage(id string, code fhir.IssueType) message {
	if _, ok := catalogue[id]; !ok {
		panic("validate: no texts for message " + id)
	}
	return message{id, code}
}

// say puts details into the texts of a message.
func (m message) say(details []string) texts {
	t := catalogue[m.id]
	for i, d := range details {
		place := "{" + strconv.Itoa(i+1) + "}"
		t.english = strings.ReplaceAll(t.english, place, d)
		t.chinese = strings.ReplaceAll(t.chinese, place, d)
	}
	return t
}

// The messages, but for those of primitive types, which are format-<type>.
var (
	msgTooManyIssues                 = newMessage("too-many-issues", fhir.TypeTooCostly)
	msgTooDeep                       = newMessage("too-deep", fhir.TypeTooCostly)
	msgResourceNotObject             = newMessage("resource-not-object", fhir.TypeStructure)
	msgResourceTypeMissing           = newMessage("resource-type-missing", fhir.TypeRequired)
	msgResourceTypeUnknown           = newMessage("resource-type-unknown", fhir.TypeInvalid)
	msgElementUnknown                = newMessage("element-unknown", fhir.TypeStructure)
	msgElementMissing                = newMessage("element-missing", fhir.TypeRequired)
	msgElementTooMany                = newMessage("element-too-many", fhir.TypeStructure)
	msgElementProhibited             = newMessage("element-prohibited", fhir.TypeStructure)
	msgChoiceMultiple                = newMessage("choice-multiple", fhir.TypeStructure)
	msgArrayExpected                 = newMessage("array-expected", fhir.TypeStructure)
	msgArrayUnexpected               = newMessage("array-unexpected", fhir.TypeStructure)
	msgArrayEmpty                    = newMessage("array-empty", fhir.TypeStructure)
	msgObjectExpected                = newMessage("object-expected", fhir.TypeStructure)
	msgObjectEmpty                   = newMessage("object-empty", fhir.TypeStructure)
	msgJSONType                      = newMessage("json-type", fhir.TypeStructure)
	msgNullUnexpected                = newMessage("null-unexpected", fhir.TypeStructure)
	msgArrayMisaligned               = newMessage("array-misaligned", fhir.TypeStructure)
	msgCodeUnknown                   = newMessage("code-unknown", fhir.TypeCodeInvalid)
	msgCodingUnknown                 = newMessage("coding-unknown", fhir.TypeCodeInvalid)
	msgConceptUnknown                = newMessage("concept-unknown", fhir.TypeCodeInvalid)
	msgConceptUncoded                = newMessage("concept-uncoded", fhir.TypeCodeInvalid)
	msgUnitUnknown                   = newMessage("unit-unknown", fhir.TypeCodeInvalid)
	msgReferenceFormat               = newMessage("reference-format", fhir.TypeValue)
	msgReferenceType                 = newMessage("reference-target-type", fhir.TypeValue)
	msgReferenceMismatch             = newMessage("reference-type-mismatch", fhir.TypeValue)
	msgReferenceTypeName             = newMessage("reference-type-unknown", fhir.TypeValue)
	msgReferenceUnresolved           = newMessage("reference-unresolved", fhir.TypeNotFound)
	msgFullURL                       = newMessage("full-url-relative", fhir.TypeValue)
	msgContainedNested               = newMessage("contained-nested", fhir.TypeInvariant)
	msgContainedID                   = newMessage("contained-id-missing", fhir.TypeInvariant)
	msgContainedDuplicate            = newMessage("contained-id-duplicate", fhir.TypeInvariant)
	msgContainedUnreferenced         = newMessage("contained-unreferenced", fhir.TypeInvariant)
	msgContainedMeta                 = newMessage("contained-meta", fhir.TypeInvariant)
	msgExtensionBoth                 = newMessage("extension-value-and-extensions", fhir.TypeInvariant)
	msgExtensionEmpty                = newMessage("extension-empty", fhir.TypeInvariant)
	msgExtensionType                 = newMessage("extension-value-type", fhir.TypeStructure)
	msgExtensionPart                 = newMessage("extension-part-unknown", fhir.TypeStructure)
	msgExtensionMissing              = newMessage("extension-part-missing", fhir.TypeRequired)
	msgExtensionTooMany              = newMessage("extension-part-too-many", fhir.TypeStructure)
	msgStringControl                 = newMessage("string-control", fhir.TypeValue)
	msgStringBlank                   = newMessage("string-blank", fhir.TypeValue)
	msgNarrativeMalformed            = newMessage("xhtml-malformed", fhir.TypeInvalid)
	msgNarrativeRoot                 = newMessage("xhtml-root", fhir.TypeInvalid)
	msgNarrativeElement              = newMessage("xhtml-element", fhir.TypeSecurity)
	msgNarrativeAttribute            = newMessage("xhtml-attribute", fhir.TypeSecurity)
	msgNarrativeScript               = newMessage("xhtml-script", fhir.TypeSecurity)
	msgNarrativeEmpty                = newMessage("xhtml-empty", fhir.TypeInvariant)
	msgTooCostly                     = newMessage("too-costly", fhir.TypeTooCostly)
	msgDateUnlikely                  = newMessage("date-unlikely", fhir.TypeValue)
	msgCodeExtensible                = newMessage("code-extensible", fhir.TypeCodeInvalid)
	msgCodePreferred                 = newMessage("code-preferred", fhir.TypeCodeInvalid)
	msgCodeMaximum                   = newMessage("code-maximum", fhir.TypeCodeInvalid)
	msgSystemMissing                 = newMessage("coding-system-missing", fhir.TypeCodeInvalid)
	msgSystemRelative                = newMessage("coding-system-relative", fhir.TypeCodeInvalid)
	msgSystemValueSet                = newMessage("coding-system-valueset", fhir.TypeCodeInvalid)
	msgCodeNotInSystem               = newMessage("code-not-in-system", fhir.TypeCodeInvalid)
	msgCodeNotInFragment             = newMessage("code-not-in-fragment", fhir.TypeCodeInvalid)
	msgSystemDraft                   = newMessage("code-system-draft", fhir.TypeBusinessRule)
	msgDisplayWrong                  = newMessage("display-wrong", fhir.TypeCodeInvalid)
	msgUCUMInvalid                   = newMessage("ucum-invalid", fhir.TypeCodeInvalid)
	msgInvariant                     = newMessage("invariant-failed", fhir.TypeInvariant)
	msgInvariantUnusable             = newMessage("invariant-unusable", fhir.TypeException)
	msgReferenceNotFound             = newMessage("reference-not-found", fhir.TypeNotFound)
	msgReferenceFoundType            = newMessage("reference-found-type", fhir.TypeStructure)
	msgReferenceProfile              = newMessage("reference-profile", fhir.TypeStructure)
	msgReferenceNamed                = newMessage("reference-named-otherwise", fhir.TypeNotFound)
	msgReferenceProfileTried         = newMessage("reference-profile-tried", fhir.TypeInformational)
	msgClaimUnknown                  = newMessage("profile-claim-unknown", fhir.TypeNotFound)
	msgTermsTooCostly                = newMessage("terms-too-costly", fhir.TypeTooCostly)
	msgGlobal                        = newMessage("profile-global", fhir.TypeInformational)
	msgGlobalUnknown                 = newMessage("profile-global-unknown", fhir.TypeNotFound)
	msgGlobalUnusable                = newMessage("profile-global-unusable", fhir.TypeException)
	msgClaimUnusable                 = newMessage("profile-claim-unusable", fhir.TypeException)
	msgExtensionUnusable             = newMessage("extension-unusable", fhir.TypeException)
	msgQuestionnaireReferenceUnknown = newMessage("questionnaire-reference-unknown", fhir.TypeValue)
	msgProfileValue                  = newMessage("profile-value", fhir.TypeRequired)
	msgFragmentUnknown               = newMessage("uri-fragment", fhir.TypeValue)
	msgSearchType                    = newMessage("search-parameter-type", fhir.TypeInvalid)
	msgSearchBase                    = newMessage("search-parameter-base", fhir.TypeInvalid)
	msgSearchExpression              = newMessage("search-parameter-expression", fhir.TypeInvalid)
	msgTypeProfile                   = newMessage("definition-type-profile", fhir.TypeInvalid)
	msgNarrativeSpace                = newMessage("xhtml-space", fhir.TypeInformational)
	msgVitalSigns                    = newMessage("vital-signs-profile", fhir.TypeInformational)
	msgNarrativeSource               = newMessage("xhtml-source", fhir.TypeBusinessRule)
	msgNarrativeSections             = newMessage("xhtml-sections", fhir.TypeBusinessRule)
	msgSnapshot                      = newMessage("definition-snapshot", fhir.TypeInvalid)
	msgReferenceAggregation          = newMessage("reference-aggregation", fhir.TypeStructure)
	msgReferenceNotInBundle          = newMessage("reference-not-in-bundle", fhir.TypeNotFound)
	msgReferenceAmbiguous            = newMessage("reference-ambiguous", fhir.TypeDuplicate)
	msgFullURLMissing                = newMessage("full-url-missing", fhir.TypeRequired)
	msgFullURLMismatch               = newMessage("full-url-mismatch", fhir.TypeInvalid)
	msgFullURLNoID                   = newMessage("full-url-no-id", fhir.TypeInvalid)
	msgFullURLDuplicate              = newMessage("full-url-duplicate", fhir.TypeDuplicate)
	msgBundleFirst                   = newMessage("bundle-first", fhir.TypeInvalid)
	msgBundleUnreachable             = newMessage("bundle-unreachable", fhir.TypeInformational)
	msgBundleReverse                 = newMessage("bundle-reverse-reachable", fhir.TypeInformational)
	msgBundleLinkDuplicate           = newMessage("bundle-link-duplicate", fhir.TypeInvalid)
	msgBundleSearchSelf              = newMessage("bundle-search-self", fhir.TypeInvalid)
	msgBundleSearchMode              = newMessage("bundle-search-mode", fhir.TypeInvalid)
	msgBundleStylesheet              = newMessage("bundle-stylesheet-missing", fhir.TypeNotFound)
	msgBundleStylesheetExternal      = newMessage("bundle-stylesheet-external", fhir.TypeSecurity)
	msgExtensionRelative             = newMessage("extension-url-relative", fhir.TypeValue)
	msgExtensionVersion              = newMessage("extension-url-version", fhir.TypeValue)
	msgExtensionUnknown              = newMessage("extension-unknown", fhir.TypeNotSupported)
	msgExtensionModifierUnknown      = newMessage("extension-modifier-unknown", fhir.TypeNotSupported)
	msgExtensionContext              = newMessage("extension-context", fhir.TypeBusinessRule)
	msgExtensionContextRule          = newMessage("extension-context-rule", fhir.TypeBusinessRule)
	msgExtensionModifier             = newMessage("extension-modifier", fhir.TypeBusinessRule)
	msgExtensionNotModifier          = newMessage("extension-not-modifier", fhir.TypeBusinessRule)
	msgExtensionExample              = newMessage("extension-example", fhir.TypeBusinessRule)
	msgStringHTML                    = newMessage("string-html", fhir.TypeSecurity)
	msgMarkdownHTML                  = newMessage("markdown-html", fhir.TypeSecurity)
	msgTooLong                       = newMessage("too-long", fhir.TypeTooLong)
	msgAttachmentSize                = newMessage("attachment-size", fhir.TypeInvalid)
	msgBase64TooLarge                = newMessage("base64-too-large", fhir.TypeTooLong)
	msgTooShort                      = newMessage("too-short", fhir.TypeValue)
	msgNarrativeLanguage             = newMessage("xhtml-language", fhir.TypeBusinessRule)
	msgProfileUnknown                = newMessage("profile-unknown", fhir.TypeNotFound)
	msgProfileWrongType              = newMessage("profile-wrong-type", fhir.TypeStructure)
	msgProfileUnusable               = newMessage("profile-unusable", fhir.TypeException)
	msgProfileNone                   = newMessage("profile-none", fhir.TypeStructure)
	msgProfileSeveral                = newMessage("profile-several", fhir.TypeStructure)
	msgProfileMissing                = newMessage("profile-missing", fhir.TypeRequired)
	msgProfileTooMany                = newMessage("profile-too-many", fhir.TypeStructure)
	msgProfileType                   = newMessage("profile-type", fhir.TypeStructure)
	msgProfileFixed                  = newMessage("profile-fixed", fhir.TypeValue)
	msgProfileFixedExtra             = newMessage("profile-fixed-extra", fhir.TypeValue)
	msgProfilePattern                = newMessage("profile-pattern", fhir.TypeValue)
	msgProfileMinValue               = newMessage("profile-min-value", fhir.TypeValue)
	msgProfileMaxValue               = newMessage("profile-max-value", fhir.TypeValue)
	msgProfileValueUnit              = newMessage("profile-value-unit", fhir.TypeValue)
	msgSliceMissing                  = newMessage("slice-missing", fhir.TypeRequired)
	msgSliceTooMany                  = newMessage("slice-too-many", fhir.TypeStructure)
	msgSliceUnknown                  = newMessage("slice-unknown", fhir.TypeStructure)
	msgSliceNone                     = newMessage("slice-none", fhir.TypeInformational)
	msgSliceOrder                    = newMessage("slice-order", fhir.TypeStructure)
	msgSliceEnd                      = newMessage("slice-end", fhir.TypeStructure)
	msgSliceUndecidable              = newMessage("slice-undecidable", fhir.TypeException)
	msgQuestionnaireUnknown          = newMessage("questionnaire-unknown", fhir.TypeNotFound)
	msgQuestionnaireMissing          = newMessage("questionnaire-missing", fhir.TypeRequired)
	msgQuestionnaireWrongType        = newMessage("questionnaire-wrong-type", fhir.TypeInvalid)
	msgQuestionnaireLinkUnknown      = newMessage("questionnaire-link-unknown", fhir.TypeStructure)
	msgQuestionnaireLinkPlace        = newMessage("questionnaire-link-place", fhir.TypeStructure)
	msgQuestionnaireOrder            = newMessage("questionnaire-order", fhir.TypeStructure)
	msgQuestionnaireItemMissing      = newMessage("questionnaire-item-missing", fhir.TypeRequired)
	msgQuestionnaireItemRepeats      = newMessage("questionnaire-item-repeats", fhir.TypeStructure)
	msgQuestionnaireAnswerMany       = newMessage("questionnaire-answer-many", fhir.TypeStructure)
	msgQuestionnaireAnswerFew        = newMessage("questionnaire-answer-few", fhir.TypeRequired)
	msgQuestionnaireAnswerMost       = newMessage("questionnaire-answer-most", fhir.TypeStructure)
	msgQuestionnaireAnswerType       = newMessage("questionnaire-answer-type", fhir.TypeStructure)
	msgQuestionnaireAnswerNone       = newMessage("questionnaire-answer-none", fhir.TypeStructure)
	msgQuestionnaireAnswerGroup      = newMessage("questionnaire-answer-group", fhir.TypeStructure)
	msgQuestionnaireItemsAnswer      = newMessage("questionnaire-items-answer", fhir.TypeStructure)
	msgQuestionnaireOption           = newMessage("questionnaire-option", fhir.TypeValue)
	msgQuestionnaireValueSet         = newMessage("questionnaire-valueset", fhir.TypeCodeInvalid)
	msgQuestionnaireOptionsUnknown   = newMessage("questionnaire-options-unknown", fhir.TypeInformational)
	msgQuestionnaireDisabled         = newMessage("questionnaire-disabled", fhir.TypeInvalid)
	msgQuestionnaireInactive         = newMessage("questionnaire-inactive", fhir.TypeInvalid)
	msgQuestionnaireMinValue         = newMessage("questionnaire-min-value", fhir.TypeValue)
	msgQuestionnaireMaxValue         = newMessage("questionnaire-max-value", fhir.TypeValue)
	msgQuestionnaireUnit             = newMessage("questionnaire-unit", fhir.TypeValue)
	msgQuestionnaireUnitCompare      = newMessage("questionnaire-unit-compare", fhir.TypeValue)
	msgQuestionnaireRegex            = newMessage("questionnaire-regex", fhir.TypeValue)
	msgQuestionnaireRegexUnusable    = newMessage("questionnaire-regex-unusable", fhir.TypeNotSupported)
	msgQuestionnaireDecimals         = newMessage("questionnaire-decimals", fhir.TypeValue)
	msgQuestionnaireReferenceType    = newMessage("questionnaire-reference-type", fhir.TypeValue)
	msgQuestionnaireMimeType         = newMessage("questionnaire-mime-type", fhir.TypeValue)
	msgQuestionnaireEnableSelf       = newMessage("questionnaire-enable-self", fhir.TypeBusinessRule)
	msgQuestionnaireEnableUnknown    = newMessage("questionnaire-enable-unknown", fhir.TypeBusinessRule)
	msgQuestionnaireEnableLater      = newMessage("questionnaire-enable-later", fhir.TypeBusinessRule)
	msgParameterUnknown              = newMessage("parameter-unknown", fhir.TypeInvalid)
	msgParameterMissing              = newMessage("parameter-missing", fhir.TypeRequired)
	msgParameterTooMany              = newMessage("parameter-too-many", fhir.TypeStructure)
	msgParameterType                 = newMessage("parameter-type", fhir.TypeStructure)
)
