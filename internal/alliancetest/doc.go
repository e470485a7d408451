// Package alliancetest looks for the facts of the demo alliance's ledger in resources, wherever they come from: straight out
// of the maps, laid over one another as a gateway would but without one (this package's tests), or fetched through the FHIR
// API of a running gateway (the tests of gateway/server). It owns the knowledge of what a fact of the ledger must look like
// in FHIR; it does not own the ledger, which package alliancegen writes, nor any map.
package alliancetest

import "github.com/yilian/yilian/internal/alliancegen"

// Members are the institutions of the alliance.
var Members = []string{alliancegen.City, alliancegen.County, alliancegen.Lab, alliancegen.Township, alliancegen.Community}
