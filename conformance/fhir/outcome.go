package fhir

import "strconv"

// Extensions of OperationOutcome, as HL7's own validator writes them.
// Specification: https://hl7.org/fhir/R4/operationoutcome-profiles.html
const (
	fileURL      = "http://hl7.org/fhir/StructureDefinition/operationoutcome-file"
	lineURL      = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"
	columnURL    = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col"
	issueTypes   = "http://hl7.org/fhir/issue-type"
	messageIDURL = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
)

// Outcome writes issues as an OperationOutcome, so that what reads the reports of
// HL7's validator reads ours: the text is in details, place and message id in
// extensions, and all of it in diagnostics, for people. file names what the issues
// are about, "" for nothing that has a name. No issues are told as such: an
// OperationOutcome has at least one.
func Outcome(file string, issues []Issue) *Node { return OutcomeIn("", file, issues) }

// OutcomeIn is Outcome for who wants a language, named as in Accept-Language: the
// resource says which one it is in, and details have the code of the issue with its
// name, for texts that nobody has translated. "" is English without that.
func OutcomeIn(language, file string, issues []Issue) *Node {
	n := NewObject().SetString("resourceType", "OperationOutcome")
	switch {
	case language == "":
	case isChinese(language):
		language = Chinese
		n.SetString("language", language)
	default:
		language = "en"
		n.SetString("language", language)
	}
	if file != "" {
		n.Set("extension", NewArray(extension(fileURL, "valueString", NewString(file))))
	}
	if len(issues) == 0 {
		said := messages.Say("no findings")
		issues = []Issue{{Severity: Information, Code: TypeInformational, Text: said.English, Chinese: said.Chinese}}
	}
	list := NewArray()
	for _, i := range issues {
		list.Append(i.outcome(language))
	}
	return n.Set("issue", list)
}

func (i Issue) outcome(language string) *Node {
	n, extensions := NewObject(), NewArray()
	if i.Line > 0 {
		extensions.Append(extension(lineURL, "valueInteger", NewNumber(strconv.Itoa(i.Line))))
	}
	if i.Column > 0 {
		extensions.Append(extension(columnURL, "valueInteger", NewNumber(strconv.Itoa(i.Column))))
	}
	if i.ID != "" {
		extensions.Append(extension(messageIDURL, "valueCode", NewString(i.ID)))
	}
	if extensions.Len() > 0 {
		n.Set("extension", extensions)
	}
	n.SetString("severity", string(i.Severity)).SetString("code", string(i.Code))
	details := NewObject()
	if display := i.Code.Display(language); language != "" && display != "" {
		details.Set("coding", NewArray(NewObject().SetString("system", issueTypes).SetString("code", string(i.Code)).SetString("display", display)))
	}
	if text := i.In(language); text != "" {
		details.SetString("text", text)
	}
	if details.Len() > 0 {
		n.Set("details", details)
	}
	n.SetString("diagnostics", i.line(language))
	if i.Expression != "" {
		n.Set("expression", NewArray(NewString(i.Expression)))
	}
	return n
}

func extension(url, element string, value *Node) *Node {
	return NewObject().SetString("url", url).Set(element, value)
}
