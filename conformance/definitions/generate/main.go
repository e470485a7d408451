// Command generate writes the embedded definitions from HL7's package of R4
// definitions. The same package gives the same bytes.
//
//	go run ./generate [-package hl7.fhir.r4.examples-4.0.1.tgz] [-o r4.bin]
//
// Without -package it takes the file named by YILIAN_FHIR_PACKAGE, or fetches
// the package with npm into the user's cache directory.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	from := flag.String("package", "", "the package; fetched with npm if empty")
	to := flag.String("o", "r4.bin", "file to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	if from == "" {
		var err error
		if from, err = locate(); err != nil {
			return err
		}
	}
	out, err := build(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, out, 0o644)
}

// build makes the file from the package at path.
func build(path string) ([]byte, error) {
	in, err := readPackage(path)
	if err != nil {
		return nil, err
	}
	return write(in)
}
