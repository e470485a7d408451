// Package folder is an institution's folder as one run of bytes: what is pushed,
// kept and pulled. It owns which files belong to such a folder, the form of the
// archive, and the limits that a hostile one meets. It does not own what stands in
// the files: package mapping reads them.
//
// The archive is a tar (POSIX.1-2001, pax) of plain files in the order of their
// names, without times and owners, so that equal folders are equal bytes:
//
//	institution.yaml   maps/*.yaml   codes/*.csv   cases/*.txtar   *.md
//
// Any tar of such files is read; what is written is always this form.
package folder
