package readmetest

import (
	"fmt"
	"strings"
)

// Block is commands and what they print.
type Block struct {
	Line  int    // of the opening fence
	Code  string // ends with a line break
	Shown string // empty: nothing is printed
}

// Blocks returns the blocks of a README, in order. Fences of other languages are passed over.
func Blocks(text string) ([]Block, error) {
	var blocks []Block
	open, language, body := 0, "", strings.Builder{}
	shown := true // nothing to attach shown text to
	for n, line := range strings.SplitAfter(text, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "```")
		switch {
		case !isFence && open > 0:
			body.WriteString(line)
		case !isFence:
		case open == 0:
			open, language = n+1, fence
			body.Reset()
		case fence != "":
			return nil, fmt.Errorf("line %d: a fence opens inside the one of line %d", n+1, open)
		default:
			switch language {
			case "sh":
				blocks = append(blocks, Block{Line: open, Code: body.String()})
				shown = false
			case "text":
				if shown {
					return nil, fmt.Errorf("line %d: shown text without commands before it", open)
				}
				blocks[len(blocks)-1].Shown = body.String()
				shown = true
			}
			open = 0
		}
	}
	if open > 0 {
		return nil, fmt.Errorf("line %d: the fence is not closed", open)
	}
	return blocks, nil
}

// Same tells where two translations differ in their blocks: nil when they do not.
func Same(a, b []Block) error {
	for i := range min(len(a), len(b)) {
		if a[i].Code != b[i].Code {
			return fmt.Errorf("lines %d and %d: the commands differ", a[i].Line, b[i].Line)
		}
		if a[i].Shown != b[i].Shown {
			return fmt.Errorf("lines %d and %d: what the commands print differs", a[i].Line, b[i].Line)
		}
	}
	if len(a) != len(b) {
		return fmt.Errorf("%d blocks here, %d there", len(a), len(b))
	}
	return nil
}
