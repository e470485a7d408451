package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/yilian/yilian/gateway/source/upload"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/mapping"
)

// maxDelivery bounds the bytes of all files of one delivery, which are held while it is read.
const maxDelivery = 256 << 20

// readDelivery reads the files of a delivery. Their names are the paths as they were given.
func readDelivery(out *output, names []string) ([]mapping.File, error) {
	var files []mapping.File
	left := int64(maxDelivery)
	for _, name := range names {
		r, err := out.open(name)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(r, left+1))
		r.Close()
		if err != nil {
			return nil, err
		}
		if left -= int64(len(text)); left < 0 {
			return nil, fmt.Errorf("%s: the files are over %d bytes together", name, maxDelivery)
		}
		files = append(files, mapping.File{Name: shown(name), Bytes: text})
	}
	return files, nil
}

// printRecord writes what became of a record, and below a quarantined one why.
func printRecord(table *tabwriter.Writer, r upload.Record) {
	var found tally
	found.add(r.Issues)
	file := r.File
	if r.Place != "" { // which of a workbook's sheets, and the row
		file += " " + r.Place
	}
	fmt.Fprintf(table, "%s\t%s\t%s\t%s", r.ID, r.State, r.Type, file)
	if r.State != store.Quarantined {
		if found.Warnings > 0 {
			fmt.Fprintf(table, "\t%s", count(found.Warnings, "warning"))
		}
		fmt.Fprintln(table)
		return
	}
	fmt.Fprintln(table)
	table.Flush() // what stands below is no part of the columns
	for _, i := range r.Issues {
		fmt.Fprintf(table, "  %s\n", i)
	}
	table.Flush()
}

// tallyOfRecords counts records by what became of them: "12 records: 11 committed,
// 1 quarantined". A delivery that was cut into records is not one of them.
type tallyOfRecords map[store.RecordState]int

func (t *tallyOfRecords) add(state store.RecordState) {
	if *t == nil {
		*t = tallyOfRecords{}
	}
	(*t)[state]++
}

func (t tallyOfRecords) String() string {
	total := 0
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(t)) {
		if state == store.Split {
			continue
		}
		total += t[state]
		parts = append(parts, fmt.Sprintf("%d %s", t[state], state))
	}
	if total == 0 {
		return count(0, "record")
	}
	return count(total, "record") + ": " + strings.Join(parts, ", ")
}

// result is the error to end a command with.
func (t tallyOfRecords) result() error {
	if t[store.Quarantined] > 0 {
		return errFindings
	}
	return nil
}

// unknownSource says which sources there are.
func unknownSource(inst *mapping.Institution, name string) error {
	var names []string
	for _, s := range inst.Sources() {
		names = append(names, fmt.Sprintf("%s (%s)", s.Name, s.Format))
	}
	return fmt.Errorf("%s has no source %s; want one of %s", inst.ID(), name, strings.Join(names, ", "))
}
