package validate

import "github.com/yilian/yilian/conformance/fhir"

func (r *run) judgeQuestionnaire(n *fhir.Node) {}
func (r *run) judgeResponse(n *fhir.Node)      {}
func (r *run) judgeParameters(n *fhir.Node)    {}
