package table

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// parts are the files inside a workbook's file.
type parts struct {
	files map[string]*zip.File
	lim   Limits
	may   int64 // bytes that may be unzipped of all parts
	out   int64 // that have been
}

// bookError says why a workbook, or one of its sheets, cannot be read.
type bookError struct{ code, reason string }

func (e *bookError) Error() string { return e.reason }

func broken(what string, args ...any) error {
	return &bookError{"workbook", fmt.Sprintf("the workbook is damaged: "+what, args...)}
}

func tooLarge(what string, args ...any) error {
	return &bookError{"too-large", fmt.Sprintf(what, args...)}
}

func openParts(data []byte, lim Limits) (*parts, error) {
	// What the file says of itself need not be so: the signatures are what is read.
	if n := bytes.Count(data, []byte("PK\x01\x02")); n > lim.MaxParts {
		return nil, tooLarge("the workbook has more than %d parts", lim.MaxParts)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, &bookError{"truncated", "the workbook's list of parts, at its end, is not there: the file was cut"}
	}
	p := &parts{files: make(map[string]*zip.File, len(z.File)), lim: lim}
	p.may = min(int64(lim.MaxUnzipped), max(ratioFrom, int64(lim.MaxRatio)*int64(len(data))))
	for _, f := range z.File {
		name := partName(f.Name)
		if _, ok := p.files[name]; ok && !strings.HasSuffix(name, "/") {
			return nil, broken("two parts have the same name")
		}
		p.files[name] = f
	}
	return p, nil
}

// partName is a part's name as it is compared: case does not count.
func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

func (p *parts) has(name string) bool { return p.files[partName(name)] != nil }

// ratioFrom is how much may be unzipped of a small file: blanks and equal rows take
// hardly any room.
const ratioFrom = 16 << 20

// unzipping reads a part and counts what comes out.
type unzipping struct {
	parts *parts
	r     io.Reader
}

func (u *unzipping) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if u.parts.out += int64(n); u.parts.out > u.parts.may {
		return n, tooLarge("the workbook has more than %d bytes unzipped, or more than %d times its size", u.parts.may, u.parts.lim.MaxRatio)
	}
	return n, err
}

// read hands the elements of a part to a function.
func (p *parts) read(name string, f func(*elements) error) error {
	file := p.files[partName(name)]
	if file == nil {
		return broken("a part is missing")
	}
	r, err := file.Open()
	if err != nil {
		return broken("a part cannot be unzipped")
	}
	defer r.Close()
	if err = f(newElements(&unzipping{parts: p, r: r}, p.lim.MaxRowBytes)); errors.Is(err, io.EOF) {
		err = nil
	}
	var known *bookError
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, errPiece):
		return tooLarge("a text or tag has more than %d bytes", p.lim.MaxRowBytes)
	default:
		return broken("a part is not what it should be: %v", err)
	}
}

// relation is what one part says about another.
type relation struct{ kind, target string }

// relations reads what a part refers to: by id. What lies outside of the workbook is
// left out.
func (p *parts) relations(of string) (map[string]relation, error) {
	dir, base := path.Split(of)
	name := dir + "_rels/" + base + ".rels"
	out := map[string]relation{}
	if !p.has(name) {
		return out, nil
	}
	err := p.read(name, func(x *elements) error {
		for {
			kind, err := x.next()
			if err != nil {
				return err
			}
			if kind != startTag || string(x.local()) != "Relationship" {
				continue
			}
			if mode, _ := x.attr("TargetMode"); string(mode) == "External" {
				continue
			}
			id, err1 := x.attrText("Id")
			typ, err2 := x.attrText("Type")
			target, err3 := x.attrText("Target")
			if err := errors.Join(err1, err2, err3); err != nil {
				return err
			}
			if !strings.HasPrefix(target, "/") {
				target = dir + target
			}
			out[id] = relation{kind: typ[strings.LastIndexByte(typ, '/')+1:], target: path.Clean("/" + target)[1:]}
			if len(out) > p.lim.MaxParts {
				return tooLarge("a part refers to more than %d others", p.lim.MaxParts)
			}
		}
	})
	return out, err
}
