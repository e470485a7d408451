package main

import (
	"io/fs"
	"iter"
	"path/filepath"
	"strings"

	"github.com/yilian/yilian/mapping"
)

// delivery is a part of a corpus: files that belong together.
type delivery struct {
	files []mapping.File
}

// corpus reads many records for a tool, one delivery after the other: a file stands alone, the files of a folder belong
// together, folders below it are deliveries of their own. Hidden files are left out.
func corpus(out *output, names []string) iter.Seq2[delivery, error] {
	return func(yield func(delivery, error) bool) {
		for _, name := range names {
			sets, err := deliveriesIn(name)
			if err != nil {
				yield(delivery{}, err)
				return
			}
			for _, set := range sets {
				files, err := readDelivery(out, set)
				if !yield(delivery{files: files}, err) || err != nil {
					return
				}
			}
		}
	}
}

// deliveriesIn lists the files of each delivery that a name of the command line stands for.
func deliveriesIn(name string) ([][]string, error) {
	if name == "-" {
		return [][]string{{name}}, nil
	}
	var sets [][]string
	at := map[string]int{} // folder → its place in sets
	err := filepath.WalkDir(name, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch hidden := strings.HasPrefix(e.Name(), ".") && path != name; {
		case e.IsDir() && hidden:
			return filepath.SkipDir
		case e.IsDir() || hidden:
			return nil
		}
		folder := filepath.Dir(path)
		i, known := at[folder]
		if !known {
			i = len(sets)
			at[folder] = i
			sets = append(sets, nil)
		}
		sets[i] = append(sets[i], path)
		return nil
	})
	return sets, err
}
