// Package draft writes the first version of an institution's folder from sample records that nobody has described:
// institution.yaml, maps, code tables, cases, and the list of what it could not decide.
//
//	d, err := draft.From(files, draft.Options{ID: "tcm-hospital"})
//	for _, f := range d.Files { … }
//
// It owns the lexicon of headings (lexicon.txt), the profile of a column's values, the guess that both make together, and
// how a table of each kind is mapped. It does not own the grammar of maps (package mapping, README.md there), the readers
// of samples, nor where a draft is written.
//
//	files ─▶ read ─▶ scopes and columns with profiles      sample.go document.go message.go workbook.go
//	      ─▶ answer ─▶ what the user has said              answer.go concept.go
//	      ─▶ guess ─▶ what each column holds               lexicon.go fit.go guess.go kind.go
//	      ─▶ infer ─▶ what the samples' structure tells    structure.go vocabulary.go
//	      ─▶ relate ─▶ which tables belong together        relate.go
//	      ─▶ maps, code tables, institution.yaml, cases    maps.go rule_*.go code*.go institution.go case.go
//	      ─▶ check ─▶ it loads, and maps the samples       check.go
//
// A column is guessed when its heading and its values together are convincing. Where headings are silent, structure decides: what is another
// in each row and named by other tables is a number, what stands one to one beside a name is its code, and so on; such guesses are marked. What is
// left is asked. A question names places, shapes and counts, never a value, and the answer that decides it. In cases, names, numbers of papers, phones and addresses are replaced by invented ones.
//
// Whatever the samples hold, From ends, within Limits, and the folder loads: a map that would not is left out and named.
package draft
