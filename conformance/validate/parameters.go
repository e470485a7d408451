package validate

import "github.com/yilian/yilian/conformance/fhir"

func (r *run) judgeParameters(n *fhir.Node) {}
