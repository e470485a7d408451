package codes

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/yilian/yilian/mapping/codes/tables"
)

// builtins parses each table that comes with the gateway when it is first asked for.
var builtins = sync.OnceValue(func() map[string]func() *Table {
	files, err := fs.Glob(tables.Files, "*.csv")
	if err != nil {
		panic(err) // a bad pattern
	}
	all := make(map[string]func() *Table, len(files))
	for _, file := range files {
		name := strings.TrimSuffix(file, ".csv")
		all[name] = sync.OnceValue(func() *Table {
			data, err := tables.Files.ReadFile(file)
			if err != nil {
				panic(err) // embedded
			}
			t, problems, _ := ParseTable(name, bytes.NewReader(data), TableOptions{})
			if len(problems) > 0 {
				panic(fmt.Sprintf("built-in code table: %v", problems[0])) // a test parses them all
			}
			return t
		})
	}
	return all
})

// Builtin returns a table that comes with the gateway: a national one such as gb-sex, or an HL7 v2 one such as v2-0085.
func Builtin(name string) (*Table, bool) {
	load, ok := builtins()[name]
	if !ok {
		return nil, false
	}
	return load(), true
}

// BuiltinNames returns the names of all built-in tables in alphabetical order.
func BuiltinNames() []string {
	names := make([]string, 0, len(builtins()))
	for name := range builtins() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
