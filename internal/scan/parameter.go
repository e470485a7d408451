package scan

import (
	_ "embed"
	"fmt"
	"strings"
)

var (
	//go:embed parameters.txt
	parametersText string
	//go:embed compartments.txt
	compartmentsText string
)

// Parameter is one search parameter of a type.
type Parameter struct {
	Type, Code, Kind string
	Paths            []string
	System           string      // of elements of type code
	Parts            [][2]string // of a composite: kind and path of each component, below one of Paths
}

var parameters, order = readParameters()

func readParameters() (map[string]*Parameter, []*Parameter) {
	byName, all := map[string]*Parameter{}, []*Parameter(nil)
	for line := range strings.Lines(parametersText) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		p := &Parameter{Type: f[0], Code: f[1], Kind: f[2]}
		for _, path := range f[3:] {
			system, isSystem := strings.CutPrefix(path, "=")
			switch kind, part, composite := strings.Cut(path, ":"); {
			case isSystem:
				p.System = system
			case composite:
				p.Parts = append(p.Parts, [2]string{kind, part})
			default:
				p.Paths = append(p.Paths, strings.Split(path, ",")...)
			}
		}
		byName[p.Type+" "+p.Code] = p
		all = append(all, p)
	}
	return byName, all
}

// Parameters are those of a type, and those of every type.
func Parameters(typ string) (out []*Parameter) {
	for _, p := range order {
		if p.Type == typ || p.Type == "*" {
			out = append(out, p)
		}
	}
	return out
}

func parameter(typ, code string) (*Parameter, error) {
	for _, of := range []string{typ, "*"} {
		if p := parameters[of+" "+code]; p != nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no parameter %s of %s", code, typ)
}

// Values are the elements that the parameter looks at.
func (p *Parameter) Values(r *Resource) (out []any) {
	for _, path := range p.Paths {
		out = append(out, at(r.Body, strings.TrimPrefix(path, "."))...)
	}
	return out
}

// compartment returns the parameters by which resources of a type are in a compartment.
func compartment(of, typ string) []string {
	for line := range strings.Lines(compartmentsText) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == of && f[1] == typ {
			return f[2:]
		}
	}
	return nil
}

// Known reports whether a type has a parameter here.
func Known(typ, code string) bool {
	_, err := parameter(typ, code)
	return err == nil
}
