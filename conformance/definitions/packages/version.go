package packages

import (
	"strconv"
	"strings"
)

// validName reports whether a string can name a package; it is part of a path.
func validName(s string) bool {
	return s != "" && len(s) <= 128 && s[0] != '.' && s[0] != '-' && !strings.Contains(s, "..") && only(s, "._-")
}

// validVersion reports whether a string can be a version or a pattern of versions; it is part of a path.
func validVersion(s string) bool {
	return s != "" && len(s) <= 64 && s[0] != '.' && !strings.Contains(s, "..") && only(s, "._-+$")
}

func only(s, also string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(also, c) >= 0) {
			return false
		}
	}
	return true
}

// latest stands for the highest version there is.
const latest = "latest"

// pattern reports whether a version stands for several.
func pattern(version string) bool {
	return version == latest || strings.HasSuffix(version, ".x") || strings.HasSuffix(version, ".X")
}

// matchVersion reports whether a version is one that is asked for: itself, any for "latest", or any that begins like
// "1.2.x" and has no label.
func matchVersion(version, wanted string) bool {
	if wanted == latest {
		return true
	}
	if !pattern(wanted) {
		return version == wanted
	}
	_, label := split(version)
	return label == "" && strings.HasPrefix(version, wanted[:len(wanted)-1])
}

// compareVersions orders versions as semver does: by number, and a version with a label before the one without.
func compareVersions(a, b string) int {
	left, labelA := split(a)
	right, labelB := split(b)
	for i := range max(len(left), len(right)) {
		if c := comparePart(part(left, i), part(right, i)); c != 0 {
			return c
		}
	}
	switch {
	case labelA == labelB:
		return strings.Compare(a, b)
	case labelA == "":
		return 1
	case labelB == "":
		return -1
	}
	return strings.Compare(labelA, labelB)
}

func split(version string) (parts []string, label string) {
	version, _, _ = strings.Cut(version, "+")
	version, label, _ = strings.Cut(version, "-")
	return strings.Split(version, "."), label
}

func part(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "0"
}

func comparePart(a, b string) int {
	x, errA := strconv.ParseUint(a, 10, 64)
	y, errB := strconv.ParseUint(b, 10, 64)
	switch {
	case errA != nil || errB != nil:
		return strings.Compare(a, b)
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
