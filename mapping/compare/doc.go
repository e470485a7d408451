// Package compare tells what a change of maps changes: it runs two versions of an institution's folder over the same
// deliveries and sums up, by resource type and element, what comes out differently.
//
// It owns the pairing of records that both versions find, the comparison of what they become, and the summary with a few
// examples of each difference. It does not own mapping, the choice of deliveries, nor how the summary is printed. Examples
// hold values of records: whoever prints them shows patient data.
//
// Memory grows with the kinds of difference, which are bounded, and with how far the two versions disagree about the order
// of records, not with their number.
package compare
