package fhir

import "strconv"

// Extensions of OperationOutcome, as HL7's own validator writes them.
// Specification: https://hl7.org/fhir/R4/operationoutcome-profiles.html
const (
	fileURL      = "http://hl7.org/fhir/StructureDefinition/operationoutcome-file"
	lineURL      = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"
	columnURL    = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col"
	messageIDURL = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
)

// Outcome writes issues as an OperationOutcome, so that what reads the reports of
// HL7's validator reads ours: the text is in details, place and message id in
// extensions, and all of it in diagnostics, for people. file names what the issues
// are about, "" for nothing that has a name. No issues are told as such: an
// OperationOutcome has at least one.
func Outcome(file string, issues []Issue) *Node {
	n := NewObject().SetString("resourceType", "OperationOutcome")
	if file != "" {
		n.Set("extension", NewArray(extension(fileURL, "valueString", NewString(file))))
	}
	if len(issues) == 0 {
		issues = []Issue{{Severity: Information, Code: TypeInformational, Text: "no findings"}}
	}
	list := NewArray()
	for _, i := range issues {
		list.Append(i.outcome())
	}
	return n.Set("issue", list)
}

func (i Issue) outcome() *Node {
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
	if i.Text != "" {
		n.Set("details", NewObject().SetString("text", i.Text))
	}
	n.SetString("diagnostics", i.String())
	if i.Expression != "" {
		n.Set("expression", NewArray(NewString(i.Expression)))
	}
	return n
}

func extension(url, element string, value *Node) *Node {
	return NewObject().SetString("url", url).Set(element, value)
}
