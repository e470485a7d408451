package server

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/yilian/yilian/gateway/ingest"
)

// demoSource marks what --demo delivered, so that a second start knows it again.
const demoSource = "demo"

// deliverDemo hands in the demo alliance's deliveries in the order of their names:
// {nn}-{institution}-{what}/files. The files of a nightly extract are one delivery, all
// others come file by file. What comes from an institution whose records wait is left
// for another start.
func deliverDemo(ctx context.Context, in *ingest.Ingest, waiting []string, deliveries fs.FS) error {
	entries, err := fs.ReadDir(deliveries, ".")
	if err != nil {
		return fmt.Errorf("list demo deliveries: %w", err)
	}
	for _, e := range entries {
		institution, ok := demoInstitution(append(in.Institutions(), waiting...), e.Name())
		if slices.Contains(waiting, institution) {
			continue
		}
		if !ok {
			return fmt.Errorf("demo delivery %s: no such institution", e.Name())
		}
		files, err := readFiles(deliveries, e.Name())
		if err != nil {
			return fmt.Errorf("demo delivery %s: %w", e.Name(), err)
		}
		for _, d := range demoDeliveries(institution, e.Name(), files) {
			accepted, err := in.Accept(ctx, d)
			if err != nil {
				return fmt.Errorf("demo delivery %s: %w", e.Name(), err)
			}
			if _, err := in.Wait(ctx, accepted.Receipt.ID); err != nil {
				return fmt.Errorf("demo delivery %s: %w", e.Name(), err)
			}
		}
	}
	return nil
}

// demoInstitution finds the member that a delivery's folder is named after.
func demoInstitution(ids []string, name string) (string, bool) {
	_, rest, _ := strings.Cut(name, "-")
	for _, id := range ids {
		if strings.HasPrefix(rest, id+"-") {
			return id, true
		}
	}
	return "", false
}

func demoDeliveries(institution, name string, files []ingest.File) []ingest.Delivery {
	together := ingest.Delivery{Institution: institution, Source: demoSource, Control: name, Files: files}
	var single []ingest.Delivery
	for _, f := range files {
		if strings.HasSuffix(f.Name, ".csv") {
			return []ingest.Delivery{together}
		}
		single = append(single, ingest.Delivery{
			Institution: institution, Source: demoSource, Control: name + "/" + f.Name, Files: []ingest.File{f},
		})
	}
	return single
}

func readFiles(fsys fs.FS, dir string) ([]ingest.File, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var files []ingest.File
	for _, e := range entries {
		text, err := fs.ReadFile(fsys, path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, ingest.File{Name: e.Name(), Bytes: text})
	}
	return files, nil
}
