package testscript

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/fhirpath"
)

// Limits of what variables may make: of one text, and of all texts of a body together.
const (
	MaxTextBytes     = 64 << 10
	MaxExpandedBytes = 8 << 20
)

// expand replaces ${name} by the values of variables. What a value says is not expanded again.
func (x *execution) expand(s string) (string, error) {
	return x.replace(s, func(name string) (string, bool, error) {
		v, err := x.value(name)
		return v, true, err
	})
}

// expandKnown leaves alone what names no variable of the script: fixtures may have such texts of their own.
func (x *execution) expandKnown(s string) (string, error) {
	out, err := x.replace(s, func(name string) (string, bool, error) {
		for _, v := range x.script.variables {
			if v.name == name {
				value, err := x.value(name)
				return value, true, err
			}
		}
		return "", false, nil
	})
	if x.expanded += len(out); err == nil && x.expanded > MaxExpandedBytes {
		err = fmt.Errorf("a body with variables is over %d bytes", MaxExpandedBytes)
	}
	return out, err
}

func (x *execution) replace(s string, value func(name string) (string, bool, error)) (string, error) {
	if !strings.Contains(s, "${") {
		return s, nil
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("${" + rest)
			return b.String(), nil
		}
		v, known, err := value(name)
		if err != nil {
			return "", err
		}
		if !known {
			b.WriteString("${")
			s = rest
			continue
		}
		b.WriteString(v)
		if b.Len() > MaxTextBytes {
			return "", fmt.Errorf("a text with variables is over %d bytes", MaxTextBytes)
		}
		s = after
	}
}

// known is a variable's value during one action.
type known struct {
	value string
	err   error
}

// value returns what a variable stands for now. During one action it is found once, and not at all when time is up: a
// body may name variables very often, and each may have to look through a large response.
func (x *execution) value(name string) (string, error) {
	if k, ok := x.values[name]; ok {
		return k.value, k.err
	}
	if x.ctx.Err() != nil {
		return "", errNoTime
	}
	v, err := x.find(name)
	if x.values == nil {
		x.values = map[string]known{}
	}
	x.values[name] = known{v, err}
	return v, err
}

var errNoTime = errors.New("there is no time left")

// begin starts an action: values are found anew.
func (x *execution) begin(ctx context.Context) {
	x.ctx, x.values, x.expanded = ctx, nil, 0
	x.reasons = judged(x.runner.Validator)
}

func (x *execution) find(name string) (string, error) {
	if v, ok := x.runner.Variables[name]; ok {
		return v, nil
	}
	for i := range x.script.variables {
		if v := &x.script.variables[i]; v.name == name {
			s, err := x.evaluate(v)
			switch {
			case err != nil && v.hasDefault:
				return v.defaultValue, nil
			case err != nil:
				return "", fmt.Errorf("variable %s: %w", name, err)
			}
			return s, nil
		}
	}
	return "", fmt.Errorf("there is no variable %s", name)
}

func (x *execution) evaluate(v *variable) (string, error) {
	if v.expression == "" && v.path == "" && v.headerField == "" {
		if v.hasDefault {
			return v.defaultValue, nil
		}
		return "", errors.New("it has no value; one must be given for the run")
	}
	m := x.lastResponse
	if v.sourceID != "" {
		var err error
		if m, err = x.message(v.sourceID); err != nil {
			return "", err
		}
	}
	if m == nil {
		return "", errors.New("there is no response yet")
	}
	var values []string
	var err error
	switch {
	case v.headerField != "":
		values = m.header.Values(v.headerField)
	case v.expression != "":
		values, err = x.expressionTexts(v.expression, m)
	default:
		values, err = x.pathTexts(v.path, m)
	}
	switch {
	case err != nil:
		return "", err
	case len(values) == 0 || values[0] == "":
		return "", errors.New("it finds nothing")
	case len(values) > 1:
		return "", fmt.Errorf("it finds %d values, one is wanted", len(values))
	}
	return values[0], nil
}

// Limits of one expression; a script may have very many of them.
var expressionLimits = fhirpath.Limits{Steps: 2_000_000, Values: 200_000, Text: 4 << 20}

// expression evaluates FHIRPath over a message's resource.
func (x *execution) expression(text string, m *message) ([]fhirpath.Value, error) {
	n, err := m.resource()
	if err != nil {
		return nil, err
	}
	return evaluateFHIRPath(text, n, &fhirpath.Env{Membership: x.runner.Membership, Conformance: x.conformance(),
		Resolver: inBundle{n}, Limits: expressionLimits, Now: x.runner.Now()}, nil)
}

func evaluateFHIRPath(text string, n *fhir.Node, env *fhirpath.Env, names []string) ([]fhirpath.Value, error) {
	if len(text) > MaxTextBytes {
		return nil, fmt.Errorf("the expression is over %d bytes", MaxTextBytes)
	}
	e, err := model().Compile(text, fhirpath.Options{Variables: names})
	if err != nil {
		return nil, fmt.Errorf("the expression cannot be compiled: %w", err)
	}
	values, err := e.Evaluate(env, n)
	if err != nil {
		return nil, fmt.Errorf("the expression cannot be evaluated: %w", err)
	}
	return values, nil
}

// expressionTexts returns values as text; elements with children have none and are an error.
func (x *execution) expressionTexts(text string, m *message) ([]string, error) {
	values, err := x.expression(text, m)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(values))
	for _, v := range values {
		if v.Kind() == fhirpath.Element && v.Node().Kind() == fhir.Object {
			return nil, errors.New("the expression finds an element with children, not a value")
		}
		out = append(out, v.String())
	}
	return out, nil
}

func (x *execution) pathTexts(text string, m *message) ([]string, error) {
	n, err := m.resource()
	if err != nil {
		return nil, err
	}
	return evaluatePath(text, n)
}
