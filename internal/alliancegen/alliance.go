package alliancegen

// File is one generated file; Path is relative to testdata/alliance.
type File struct {
	Path  string
	Bytes []byte
}
