// Package alliancetest proves that the maps of the demo alliance carry every fact of its ledger: all deliveries are read,
// mapped and laid over one another as a gateway would, without a gateway, and what the ledger states is looked for in the
// resources that come out. It owns no code but tests.
package alliancetest
