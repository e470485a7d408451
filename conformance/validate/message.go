package validate

import (
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
)

// message is a kind of finding: its stable id, the issue type it travels under
// and its English text, in which % stands for a detail that comes from the
// definitions, never from the data.
type message struct {
	id   string
	code fhir.IssueType
	text string
}

func (m message) say(detail string) string { return strings.Replace(m.text, "%", detail, 1) }

// The messages, but for those of primitive types, which are format-<type>.
var (
	msgTooManyIssues = message{"too-many-issues", fhir.TypeTooCostly, "validation stopped after % issues"}
	msgTooDeep       = message{"too-deep", fhir.TypeTooCostly, "objects nest deeper than % levels"}

	msgResourceNotObject   = message{"resource-not-object", fhir.TypeStructure, "a resource must be a JSON object"}
	msgResourceTypeMissing = message{"resource-type-missing", fhir.TypeRequired, "the resource does not name its resourceType"}
	msgResourceTypeUnknown = message{"resource-type-unknown", fhir.TypeInvalid, "the resourceType is not a resource of FHIR R4"}

	msgElementUnknown    = message{"element-unknown", fhir.TypeStructure, "% has no element of this name"}
	msgElementMissing    = message{"element-missing", fhir.TypeRequired, "% is required but missing"}
	msgElementTooMany    = message{"element-too-many", fhir.TypeStructure, "% occurs more often than allowed"}
	msgElementProhibited = message{"element-prohibited", fhir.TypeStructure, "% is not allowed here"}
	msgChoiceMultiple    = message{"choice-multiple", fhir.TypeStructure, "% may have only one of its types"}

	msgArrayExpected   = message{"array-expected", fhir.TypeStructure, "% may repeat and must be a JSON array"}
	msgArrayUnexpected = message{"array-unexpected", fhir.TypeStructure, "% cannot repeat and must not be a JSON array"}
	msgArrayEmpty      = message{"array-empty", fhir.TypeStructure, "% must not be an empty array"}
	msgObjectExpected  = message{"object-expected", fhir.TypeStructure, "% must be a JSON object"}
	msgObjectEmpty     = message{"object-empty", fhir.TypeStructure, "% must not be an empty object"}
	msgJSONType        = message{"json-type", fhir.TypeStructure, "the value must be a JSON %"}
	msgNullUnexpected  = message{"null-unexpected", fhir.TypeStructure, "null is only allowed to keep the place of a value beside primitive extensions"}
	msgArrayMisaligned = message{"array-misaligned", fhir.TypeStructure, "the values of % and their extensions must be arrays of the same length"}

	msgCodeUnknown    = message{"code-unknown", fhir.TypeCodeInvalid, "the code is not in the required value set %"}
	msgCodingUnknown  = message{"coding-unknown", fhir.TypeCodeInvalid, "the coding is not in the required value set %"}
	msgConceptUnknown = message{"concept-unknown", fhir.TypeCodeInvalid, "none of the codings is in the required value set %"}
	msgConceptUncoded = message{"concept-uncoded", fhir.TypeCodeInvalid, "a coding from the required value set % is needed"}
	msgUnitUnknown    = message{"unit-unknown", fhir.TypeCodeInvalid, "the unit is not in the required value set %"}

	msgReferenceFormat     = message{"reference-format", fhir.TypeValue, "the reference is neither [type]/[id], an absolute URL, a URN nor a fragment"}
	msgReferenceType       = message{"reference-target-type", fhir.TypeValue, "the reference must point to %"}
	msgReferenceMismatch   = message{"reference-type-mismatch", fhir.TypeValue, "the reference and its type name different resource types"}
	msgReferenceTypeName   = message{"reference-type-unknown", fhir.TypeValue, "the type of the reference is not a resource type"}
	msgReferenceUnresolved = message{"reference-unresolved", fhir.TypeNotFound, "no contained resource has the id the reference names"}
	msgFullURL             = message{"full-url-relative", fhir.TypeValue, "the fullUrl of an entry must be absolute"}

	msgContainedNested       = message{"contained-nested", fhir.TypeInvariant, "a contained resource must not contain resources"}
	msgContainedID           = message{"contained-id-missing", fhir.TypeInvariant, "a contained resource must have an id"}
	msgContainedDuplicate    = message{"contained-id-duplicate", fhir.TypeInvariant, "two contained resources have the same id"}
	msgContainedUnreferenced = message{"contained-unreferenced", fhir.TypeInvariant, "the contained resource is not referenced by the resource and does not refer to it"}
	msgContainedMeta         = message{"contained-meta", fhir.TypeInvariant, "a contained resource must not have meta.%"}

	msgExtensionBoth    = message{"extension-value-and-extensions", fhir.TypeInvariant, "an extension must not have both a value and extensions"}
	msgExtensionEmpty   = message{"extension-empty", fhir.TypeInvariant, "an extension must have a value or extensions"}
	msgExtensionType    = message{"extension-value-type", fhir.TypeStructure, "the value does not have a type that % allows"}
	msgExtensionPart    = message{"extension-part-unknown", fhir.TypeStructure, "% has no part of this url"}
	msgExtensionMissing = message{"extension-part-missing", fhir.TypeRequired, "the part % is required but missing"}
	msgExtensionTooMany = message{"extension-part-too-many", fhir.TypeStructure, "the part % occurs more often than allowed"}

	msgStringControl = message{"string-control", fhir.TypeValue, "the text contains control characters"}
	msgStringBlank   = message{"string-blank", fhir.TypeValue, "the text consists of white space"}

	msgNarrativeMalformed = message{"xhtml-malformed", fhir.TypeInvalid, "the narrative is not well-formed XHTML"}
	msgNarrativeRoot      = message{"xhtml-root", fhir.TypeInvalid, "the narrative must be a div element in the XHTML namespace"}
	msgNarrativeElement   = message{"xhtml-element", fhir.TypeSecurity, "the narrative contains an element that is not allowed"}
	msgNarrativeAttribute = message{"xhtml-attribute", fhir.TypeSecurity, "the narrative contains an attribute that is not allowed"}
	msgNarrativeScript    = message{"xhtml-script", fhir.TypeSecurity, "the narrative contains a link that runs a script"}
	msgNarrativeEmpty     = message{"xhtml-empty", fhir.TypeInvariant, "the narrative has no content"}
)
