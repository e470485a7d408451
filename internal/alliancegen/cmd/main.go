// Command cmd (run by go generate) writes the demo alliance of a seed into a folder.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/yilian/yilian/internal/alliancegen"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed of the data set")
	out := flag.String("out", "", "folder to write into")
	flag.Parse()
	if *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(*seed, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write replaces what an earlier run wrote; institutions/ is not generated and stays.
func write(seed uint64, out string) error {
	for _, dir := range []string{"deliveries", "bad"} {
		if err := os.RemoveAll(filepath.Join(out, dir)); err != nil {
			return fmt.Errorf("clear %s: %w", dir, err)
		}
	}
	for _, f := range alliancegen.Generate(seed, alliancegen.Options{}).Files {
		path := filepath.Join(out, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		if err := os.WriteFile(path, f.Bytes, 0o644); err != nil {
			return fmt.Errorf("write file: %w", err)
		}
	}
	return nil
}
