package validate

// ValidPrimitive tests the lexical form of one value of a primitive type.
func ValidPrimitive(typ, text string) bool {
	p := primitives[typ]
	return p.valid == nil || p.valid(text)
}

// PrimitiveTypes are the types with a scanner.
func PrimitiveTypes() []string {
	var out []string
	for name := range primitives {
		out = append(out, name)
	}
	return out
}

// Compile compiles the plans of a type and reports whether there is one.
func (v *Validator) Compile(name string) bool { return v.plan(name) != nil }

// Catalogue is the English and Chinese text of each message.
func Catalogue() map[string][2]string {
	out := map[string][2]string{}
	for id, t := range catalogue.All() {
		out[id] = [2]string{t.English, t.Chinese}
	}
	return out
}

// Kept is how many profiles, and how many bytes of value sets and code systems, the validator keeps.
func (v *Validator) Kept() (profiles, terms int) {
	v.profiles.Range(func(_, _ any) bool { profiles++; return true })
	return profiles, v.catalog.Kept()
}
