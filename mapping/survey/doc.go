// Package survey tells how maps fare over many records: elements that a rule makes and never filled, codes that no table
// translates with what they may mean, rules and fields at which findings gather, and what of the records nobody reads.
//
// It owns the summing up and its order, the worst first. The counting is that of mapping.Coverage, whose bounds hold here:
// memory grows with the kinds of things, not with the number of records. Codes and printed texts are the records': the
// summary is for whoever mends the maps, never for a log.
package survey
