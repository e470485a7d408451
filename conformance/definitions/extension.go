package definitions

// Extension is an extension published with FHIR, or one part of a complex one.
type Extension struct {
	// URL is the canonical URL, and for a part the url it has in its parent.
	URL      string
	Name     string
	Short    string
	Min      int
	Max      int  // Unbounded or the number
	Modifier bool // belongs in modifierExtension
	// Contexts are the paths of the elements it may be on, such as "Patient",
	// "Patient.birthDate" or "Element". A part has none.
	Contexts []string
	// Types are those its value may have; none if it consists of parts.
	Types         []TypeRef
	ValueRequired bool
	Binding       *Binding // of the value
	Parts         []*Extension
}

// Type returns the type reference its value may have with that code, nil if
// the value may not have it.
func (e *Extension) Type(code string) *TypeRef {
	for i := range e.Types {
		if e.Types[i].Code == code {
			return &e.Types[i]
		}
	}
	return nil
}

// Part is the part with that url, nil if there is none.
func (e *Extension) Part(url string) *Extension {
	for _, p := range e.Parts {
		if p.URL == url {
			return p
		}
	}
	return nil
}

// Extension is the extension with that canonical URL, nil if it is not among
// the definitions. A version after | is ignored.
func (d *Definitions) Extension(url string) *Extension {
	return get(d, find(d.extensions, url), decodeExtension)
}
