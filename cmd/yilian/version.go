package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCommand struct{}

func (versionCommand) Help() string {
	return `With --json one object: version, revision and time (of the commit), modified (built from changed files), go, platform, fhir.`
}

type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	FHIR     string `json:"fhir"`
}

func (versionCommand) Run(out *output) error {
	v := built()
	if out.json {
		return out.print(v)
	}
	fmt.Fprintf(out.out, "yilian %s", v.Version)
	if v.Revision != "" {
		fmt.Fprintf(out.out, " (%s of %s)", v.Revision, v.Time)
	}
	fmt.Fprintf(out.out, ", FHIR %s, %s, %s\n", v.FHIR, v.Go, v.Platform)
	return nil
}

// built reads what the go command wrote into the program.
func built() version {
	v := version{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, FHIR: "4.0.1"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
