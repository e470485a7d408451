package main

import (
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
)

// Extensions of OperationOutcome that HL7's own validator writes.
const (
	fileURL      = "http://hl7.org/fhir/StructureDefinition/operationoutcome-file"
	lineURL      = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"
	columnURL    = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col"
	messageIDURL = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
)

// outcome writes findings about one resource as an OperationOutcome in the shape
// of HL7's validator, so that what reads its reports reads ours.
func outcome(file string, issues []fhir.Issue) *fhir.Node {
	list := fhir.NewArray()
	for _, i := range issues {
		list.Append(outcomeIssue(i))
	}
	if len(issues) == 0 { // an OperationOutcome has at least one
		list.Append(outcomeIssue(fhir.Issue{Severity: fhir.Information, Code: fhir.TypeInformational, Text: "no findings"}))
	}
	return fhir.NewObject().SetString("resourceType", "OperationOutcome").
		Set("extension", fhir.NewArray(extension(fileURL, "valueString", fhir.NewString(file)))).
		Set("issue", list)
}

func outcomeIssue(i fhir.Issue) *fhir.Node {
	extensions := fhir.NewArray()
	if i.Line > 0 {
		extensions.Append(
			extension(lineURL, "valueInteger", fhir.NewNumber(strconv.Itoa(i.Line))),
			extension(columnURL, "valueInteger", fhir.NewNumber(strconv.Itoa(i.Column))))
	}
	if i.ID != "" {
		extensions.Append(extension(messageIDURL, "valueCode", fhir.NewString(i.ID)))
	}
	n := fhir.NewObject()
	if extensions.Len() > 0 {
		n.Set("extension", extensions)
	}
	n.SetString("severity", string(i.Severity)).SetString("code", string(i.Code)).
		Set("details", fhir.NewObject().SetString("text", i.Text))
	if i.Expression != "" {
		n.Set("expression", fhir.NewArray(fhir.NewString(i.Expression)))
	}
	return n
}

func extension(url, element string, value *fhir.Node) *fhir.Node {
	return fhir.NewObject().SetString("url", url).Set(element, value)
}
