package terminology

import (
	"fmt"
	"slices"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// Systems of ISO, whose codes the specification does not hold as code systems.
const (
	Countries  = "urn:iso:std:iso:3166"
	Currencies = "urn:iso:std:iso:4217"
)

// countryList is the value set of the specification that lists countries.
const countryList = "http://hl7.org/fhir/ValueSet/iso3166-1-2"

// iso makes the code systems of countries and currencies, nil if it is about another one. ISO goes on after what is
// known here, so they are parts.
func (c *Catalog) iso(system string) (*Memory, error) {
	about := Description{URL: system, Content: Fragment, CaseSensitive: true}
	switch system {
	case Countries:
		about.Name, about.Title = "ISO3166Part1", "Codes for the representation of names of countries"
		b := NewBuilder(about, c.limits)
		if err := c.countries(b); err != nil {
			return nil, err
		}
		m, _ := b.Done()
		return m, nil
	case Currencies:
		about.Name, about.Title = "ISO4217", "Codes for the representation of currencies"
		b := NewBuilder(about, c.limits)
		if err := currencies(b); err != nil {
			return nil, err
		}
		m, _ := b.Done()
		return m, nil
	}
	return nil, nil
}

// countries adds what the specification lists with two letters, and the three letters and the number of each.
func (c *Catalog) countries(b *Builder) error {
	set, ok := c.resolve("ValueSet", countryList, "")
	if !ok {
		return refuse(msgSystemUnknown, Countries)
	}
	listed := set.Path("compose", "include", "concept").Items()
	for _, form := range []func(code string) string{func(code string) string { return code }, threeLetters, number} {
		for _, n := range listed {
			code := form(n.Get("code").Text())
			if code == "" {
				continue
			}
			if _, _, err := b.concept(Concept{Code: code, Display: n.Get("display").Text()}); err != nil {
				return err
			}
		}
	}
	return nil
}

func threeLetters(code string) string {
	if r, err := language.ParseRegion(code); err == nil && r.String() == code && r.ISO3() != "ZZZ" {
		return r.ISO3()
	}
	return ""
}

func number(code string) string {
	if r, err := language.ParseRegion(code); err == nil && r.String() == code && r.M49() > 0 {
		return fmt.Sprintf("%03d", r.M49())
	}
	return ""
}

// currencies adds all currencies that there were; those of the past are inactive.
func currencies(b *Builder) error {
	active := map[string]bool{}
	for i := currency.Query(); i.Next(); {
		active[i.Unit().String()] = true
	}
	var codes []string
	for i := currency.Query(currency.Historical, currency.NonTender); i.Next(); {
		codes = append(codes, i.Unit().String())
	}
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		// Metals, test codes and bonds begin with X; they are not of the past.
		if _, _, err := b.concept(Concept{Code: code, Inactive: !active[code] && code[0] != 'X'}); err != nil {
			return err
		}
	}
	return nil
}
