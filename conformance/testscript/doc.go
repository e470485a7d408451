// Package testscript executes FHIR R4 TestScripts against servers and says what came of it.
//
// It owns the reading of suites (a script or a folder of them, with their fixtures), the execution of setup, tests and
// teardown, every kind of assertion, and the results: values, TestReport resources, JUnit XML and one HTML page.
// It does not judge resources itself – a Validator is handed in, base R4 by default – and holds no scripts of its own:
// those are in package suites. Package reference is the server both are tested against.
//
//	suite, err := testscript.Load(os.DirFS("scripts"), ".")
//	runner := testscript.Runner{Progress: show}
//	report, err := runner.Run(ctx, suite, []testscript.Server{{Base: "http://127.0.0.1:8080/fhir"}})
//
// Findings are results, not errors: a script that cannot be understood, a server that does not answer and a limit that is
// passed all end in a result "error" with its place. The error of Run says only that there was nothing to run against.
//
//	     ┌────────── fails ──────────────┐
//	capabilities ─▶ autocreate ─▶ setup ─┼─▶ test ─▶ test ─▶ … ─▶ teardown ─▶ autodelete
//	                                     └─ skipped ─────────────▶ (always)
//
// After an action that fails or errs, what is left of its setup or test is skipped; the other tests go on. Where the
// specification leaves a choice: a variable that has several values or none, and no default, is an error; path (XPath)
// "equals" holds when any value does, as XPath compares node sets, while expression (FHIRPath) "equals" wants one value;
// conformsTo in an expression is answered by the Validator; what does not conform is named with the reason;
// navigationLinks wants first and last, and next where the page is not the last; operations of type update send the
// fixture under the id of their URL, and url sends it as it is.
//
// Specification: https://hl7.org/fhir/R4/testscript.html, https://hl7.org/fhir/R4/testreport.html
package testscript
