package server

import (
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/validate"
)

// guided judges by the profiles of the alliance's guide. What that takes is made when
// a resource claims a profile for the first time.
type guided struct{ validator func() *validate.Validator }

func newGuided(defs *definitions.Definitions) guided {
	return guided{sync.OnceValue(func() *validate.Validator {
		return validate.New(defs, validate.Options{Thorough: true, NoBestPractice: true, Source: ig.Guide()})
	})}
}

// Resource implements interaction.Validator.
func (g guided) Resource(n *fhir.Node) []fhir.Issue { return g.validator().Resource(n) }

// profileErrors counts the errors by profiles in what is stored, by institution.
func profileErrors() *prometheus.CounterVec {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "yilian_profile_errors_total",
		Help: "Errors by the profiles that resources claim, in resources that were stored in spite of them.",
	}, []string{"institution"})
	var there prometheus.AlreadyRegisteredError
	if errors.As(prometheus.Register(counter), &there) {
		if known, ok := there.ExistingCollector.(*prometheus.CounterVec); ok {
			return known
		}
	}
	return counter
}
