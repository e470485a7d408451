package interaction

import (
	"context"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store"
)

// validate carries out $validate: it judges a resource by the base specification and
// by profiles – those that it claims, or the one that is asked for – and tells whether
// it would be taken as what mode says.
//
// https://hl7.org/fhir/R4/resource-operation-validate.html
func (e *Engine) validate(ctx context.Context, v Viewer, c *Call) (Result, error) {
	if c.Key.Type == "Parameters" && c.Body.ResourceType() == "Parameters" && !handsOver(c.Body) {
		given := fhir.NewObject().SetString("name", "resource").Set("resource", c.Body)
		c.Body = fhir.NewObject().SetString("resourceType", "Parameters").Set("parameter", fhir.NewArray(given))
	}
	p, err := c.parameters(map[string]string{"": "resource"})
	if err != nil {
		return Result{}, err
	}
	if err := p.only("resource", "mode", "profile"); err != nil {
		return Result{}, err
	}
	mode, profile, resource := p.text("mode"), p.text("profile"), p.get("resource").Get("resource")
	switch mode {
	case "", "create", "profile":
	case "update", "delete":
		if c.Key.ID == "" {
			return Result{}, invalid("mode-instance", "", "mode "+mode+" is about an instance: [type]/[id]/$validate")
		}
	default:
		return Result{}, invalid("mode-unknown", "", "mode is create, update, delete or profile")
	}
	issues := c.Findings
	if c.Key.ID != "" {
		stored, refused, err := e.standing(ctx, v, c.Key, mode)
		if err != nil {
			return Result{}, err
		}
		issues = append(issues, refused...)
		if resource == nil && mode == "" {
			resource = stored
		}
		if id := resource.ID(); mode == "update" && resource != nil && id != c.Key.ID {
			issues = append(issues, fhir.Issue{Severity: fhir.Error, Code: fhir.TypeInvalid, ID: "id-other", Expression: c.Key.Type + ".id",
				Text: "the id of the body is not that of the address", Chinese: "资源的 id 与地址中的不同"})
		}
	}
	if mode == "delete" {
		return outcomeOf(issues), nil
	}
	if resource == nil {
		return Result{}, invalid("resource-missing", "", "there is no resource to validate")
	}
	if err := writable(c.Key.Type, resource); err != nil {
		return Result{}, err
	}
	k, err := e.knows(ctx, v)
	if err != nil {
		return Result{}, err
	}
	if profile == "" {
		return outcomeOf(append(issues, k.validator().Resource(resource)...)), nil
	}
	if _, ok := k.source.Resolve("StructureDefinition", profile); !ok && e.Definitions.Source("StructureDefinition", profile) == nil {
		return Result{}, &Refused{Fault: fault.New(fault.NotFound, "the profile is not known"), Issues: []fhir.Issue{{
			Severity: fhir.Error, Code: fhir.TypeNotFound, ID: "profile-unknown", Text: "the profile is not known here", Chinese: "此处没有该规范（profile）",
		}}}
	}
	return outcomeOf(append(issues, k.validator().Conforms(resource, profile)...)), nil
}

func outcomeOf(issues []fhir.Issue) Result { return Result{Issues: issues} }

// handsOver tells whether Parameters are those of $validate rather than what is to be
// validated.
func handsOver(body *fhir.Node) bool {
	p := parameters{list: body.Get("parameter").Items()}
	return p.get("resource").Get("resource") != nil && p.only("resource", "mode", "profile") == nil
}

// standing reads what is stored, and finds what would be in the way of writing it.
func (e *Engine) standing(ctx context.Context, v Viewer, k store.Key, mode string) (*fhir.Node, []fhir.Issue, error) {
	got, err := e.Read(ctx, v, k)
	if err != nil {
		return nil, nil, err
	}
	var issues []fhir.Issue
	if (mode == "update" || mode == "delete") && (got.Number == 0 || !v.mayWrite(got.Owner)) {
		issues = append(issues, fhir.Issue{Severity: fhir.Error, Code: fhir.TypeForbidden, ID: "owner-other", Expression: k.Type,
			Text: "the resource belongs to another institution", Chinese: "该资源属于另一机构"})
	}
	list := []store.Version{got}
	if err := e.attach(ctx, list); err != nil {
		return nil, nil, err
	}
	stored, err := parseStored(list[0].Body)
	return stored, issues, err
}
