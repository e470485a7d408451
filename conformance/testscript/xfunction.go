package testscript

import (
	"fmt"
	"strings"
)

// functions are those that scripts use, with how many arguments they take.
var functions = map[string]struct {
	least, most int
	call        func(c xcontext, args []xvalue) xvalue
}{
	"count":      {1, 1, func(_ xcontext, a []xvalue) xvalue { return xvalue{kind: xNumber, num: float64(len(a[0].nodes))} }},
	"not":        {1, 1, func(_ xcontext, a []xvalue) xvalue { return xvalue{kind: xBool, truth: !a[0].bool()} }},
	"boolean":    {1, 1, func(_ xcontext, a []xvalue) xvalue { return xvalue{kind: xBool, truth: a[0].bool()} }},
	"true":       {0, 0, func(xcontext, []xvalue) xvalue { return xvalue{kind: xBool, truth: true} }},
	"false":      {0, 0, func(xcontext, []xvalue) xvalue { return xvalue{kind: xBool} }},
	"position":   {0, 0, func(c xcontext, _ []xvalue) xvalue { return xvalue{kind: xNumber, num: float64(c.position)} }},
	"last":       {0, 0, func(c xcontext, _ []xvalue) xvalue { return xvalue{kind: xNumber, num: float64(c.size)} }},
	"string":     {0, 1, func(c xcontext, a []xvalue) xvalue { return xvalue{kind: xString, text: own(c, a).string()} }},
	"number":     {0, 1, func(c xcontext, a []xvalue) xvalue { return xvalue{kind: xNumber, num: own(c, a).number()} }},
	"name":       {0, 1, func(c xcontext, a []xvalue) xvalue { return xvalue{kind: xString, text: nodeName(own(c, a))} }},
	"local-name": {0, 1, func(c xcontext, a []xvalue) xvalue { return xvalue{kind: xString, text: nodeName(own(c, a))} }},
	"normalize-space": {0, 1, func(c xcontext, a []xvalue) xvalue {
		return xvalue{kind: xString, text: strings.Join(strings.Fields(own(c, a).string()), " ")}
	}},
	"string-length": {0, 1, func(c xcontext, a []xvalue) xvalue {
		return xvalue{kind: xNumber, num: float64(len([]rune(own(c, a).string())))}
	}},
	"contains": {2, 2, func(_ xcontext, a []xvalue) xvalue {
		return xvalue{kind: xBool, truth: strings.Contains(a[0].string(), a[1].string())}
	}},
	"starts-with": {2, 2, func(_ xcontext, a []xvalue) xvalue {
		return xvalue{kind: xBool, truth: strings.HasPrefix(a[0].string(), a[1].string())}
	}},
	"substring-before": {2, 2, func(_ xcontext, a []xvalue) xvalue {
		before, _, found := strings.Cut(a[0].string(), a[1].string())
		if !found {
			before = ""
		}
		return xvalue{kind: xString, text: before}
	}},
	"substring-after": {2, 2, func(_ xcontext, a []xvalue) xvalue {
		_, after, _ := strings.Cut(a[0].string(), a[1].string())
		return xvalue{kind: xString, text: after}
	}},
	"concat": {2, 16, func(_ xcontext, a []xvalue) xvalue {
		var b strings.Builder
		for _, v := range a {
			b.WriteString(v.string())
		}
		return xvalue{kind: xString, text: b.String()}
	}},
}

func own(c xcontext, args []xvalue) xvalue {
	if len(args) > 0 {
		return args[0]
	}
	return xvalue{nodes: []*xnode{c.node}}
}

func nodeName(v xvalue) string {
	if v.kind != xNodes || len(v.nodes) == 0 {
		return ""
	}
	return v.nodes[0].name
}

func (p *xparser) function(at, depth int) (xexpr, int, error) {
	name := p.tokens[at].text
	f, ok := functions[name]
	if !ok {
		return nil, 0, fmt.Errorf("the path uses the function %s(), which is not supported", name)
	}
	var args []xexpr
	for at += 2; !p.is(at, ")"); {
		arg, next, err := p.expr(at, depth+1)
		if err != nil {
			return nil, 0, err
		}
		args = append(args, arg)
		if at = next; p.is(at, ",") {
			at++
		} else if !p.is(at, ")") {
			return nil, 0, p.unexpected(at)
		}
	}
	if len(args) < f.least || len(args) > f.most {
		return nil, 0, fmt.Errorf("the path gives %s() %d arguments", name, len(args))
	}
	return func(c xcontext) (xvalue, error) {
		if err := p.cost(1); err != nil {
			return xvalue{}, err
		}
		values := make([]xvalue, len(args))
		for i, a := range args {
			v, err := a(c)
			if err != nil {
				return xvalue{}, err
			}
			values[i] = v
		}
		out := f.call(c, values)
		return out, p.cost(len(out.text) / 64)
	}, at + 1, nil
}
