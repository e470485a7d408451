package validate

import "github.com/yilian/yilian/conformance/fhir"

// vitalSigns are the profiles that Observations with a LOINC code have to
// conform to: https://hl7.org/fhir/R4/observation-vitalsigns.html.
var vitalSigns = map[string]string{
	"85353-1": "vitalspanel", "9279-1": "resprate", "8867-4": "heartrate", "2708-6": "oxygensat", "8310-5": "bodytemp",
	"8302-2": "bodyheight", "9843-4": "headcircum", "29463-7": "bodyweight", "39156-5": "bmi", "85354-9": "bp",
}

func (r *run) judgeVitalSigns(n *fhir.Node) {
	for _, c := range n.Path("code", "coding").Items() {
		name := vitalSigns[c.Get("code").Text()]
		if name == "" || c.Get("system").Text() != loincSystem {
			continue
		}
		p, err := r.v.profile(core + name)
		if err != nil || p == nil {
			continue
		}
		r.report(n, fhir.Information, msgVitalSigns, p.url)
		r.conform(p, r.resourceItem(n))
		return
	}
}
