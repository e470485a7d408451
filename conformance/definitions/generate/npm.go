package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The package and its integrity as the npm registry states it. Any other
// bytes are refused.
const (
	packageName = "hl7.fhir.r4.examples"
	fhirVersion = "4.0.1"
	packageFile = packageName + "-" + fhirVersion + ".tgz"
	integrity   = "sha512-DXBdIZOeQaSKIgCU7w6HOC7sw/6BzylmipLkBW4f//pT+Bc94x+8LImwTdvaNThPJoOzpBzvxAzNqjeu3X/zLw=="
	packageEnv  = "YILIAN_FHIR_PACKAGE"
)

// cached is the package's place in the user's cache, whether it is there or not.
func cached() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache directory: %w", err)
	}
	return filepath.Join(dir, "yilian", packageFile), nil
}

// locate finds the package on this machine or fetches it with npm.
func locate() (string, error) {
	if p := os.Getenv(packageEnv); p != "" {
		return p, nil
	}
	file, err := cached()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("create cache directory: %w", err)
	}
	cmd := exec.Command("npm", "pack", "--silent", packageName+"@"+fhirVersion)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w: %s", packageName, err, bytes.TrimSpace(out))
	}
	return file, nil
}

// resource is one definition of the package.
type resource struct {
	kind string // resourceType
	file string
	json []byte
}

// kinds are the resource types taken from the package, in the order in which
// they are written.
var kinds = []string{
	"StructureDefinition", "ValueSet", "CodeSystem", "SearchParameter",
	"CompartmentDefinition", "OperationDefinition", "ConceptMap",
}

// maxFile bounds one file of the package; the largest is under 3 MB.
const maxFile = 32 << 20

// readPackage reads the definitions in a package, sorted by kind and file name.
func readPackage(name string) ([]resource, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read package: %w", err)
	}
	sum := sha512.Sum512(raw)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != integrity {
		return nil, fmt.Errorf("package %s is not %s@%s: integrity %s", name, packageName, fhirVersion, got)
	}
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read package: %w", err)
	}
	var out []resource
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read package: %w", err)
		}
		file := path.Base(h.Name)
		if !strings.HasSuffix(file, ".json") || file == "package.json" || h.Size > maxFile {
			continue
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return nil, fmt.Errorf("read package: %s: %w", file, err)
		}
		var head struct{ ResourceType string }
		if err := json.Unmarshal(data, &head); err != nil {
			return nil, fmt.Errorf("read package: %s: %w", file, err)
		}
		if slices.Contains(kinds, head.ResourceType) {
			out = append(out, resource{head.ResourceType, file, data})
		}
	}
	slices.SortFunc(out, func(a, b resource) int {
		if d := slices.Index(kinds, a.kind) - slices.Index(kinds, b.kind); d != 0 {
			return d
		}
		return strings.Compare(a.file, b.file)
	})
	return out, nil
}
