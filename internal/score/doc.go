// Package score holds what the published suites are passed with, so that it can only rise.
//
// A test that works through a suite is named TestScore… and ends with [Report]. The committed file scores.txt keeps the
// lowest numbers allowed, one suite per line:
//
//	examples 720/720
//
// Report fails the test when fewer cases pass, or when the suite has become smaller: a skipped case stays in the total.
// "make scores" runs those tests and prints every suite; with UPDATE=1 it also writes today's numbers into the file.
package score
