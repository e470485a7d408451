package fhirpath

func negate(t tri, not bool) tri {
	if !not || t == unknown {
		return t
	}
	return triOf(t == no)
}

func logic(op string, left, right code, offset int) code {
	return func(m *machine, _ []Value) error {
		a, err := m.truth(left)
		if err != nil {
			return at(offset, err)
		}
		switch {
		case op == "and" && a == no, op == "or" && a == yes, op == "implies" && a == no:
			m.push(boolValue(op != "and"))
			return nil
		}
		b, err := m.truth(right)
		if err != nil {
			return at(offset, err)
		}
		m.pushTri(combine(op, a, b))
		return nil
	}
}

// combine is the truth table of three-valued logic.
func combine(op string, a, b tri) tri {
	switch op {
	case "and":
		switch {
		case a == no || b == no:
			return no
		case a == yes && b == yes:
			return yes
		}
	case "or":
		switch {
		case a == yes || b == yes:
			return yes
		case a == no && b == no:
			return no
		}
	case "xor":
		if a != unknown && b != unknown {
			return triOf(a != b)
		}
	case "implies":
		switch {
		case a == no || b == yes:
			return yes
		case a == yes && b == no:
			return no
		}
	}
	return unknown
}
