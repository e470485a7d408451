package table

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/yilian/yilian/mapping/record"
)

// Digest identifies what a record says, to tell whether a row changed since it
// was last applied: all cells by column, those of joined rows included. The order
// of columns and of joined rows does not count; a column that is not there is not
// an empty one.
func Digest(rec *record.Record) [sha256.Size]byte {
	return digest(rec.Root)
}

func digest(n *record.Node) [sha256.Size]byte {
	var lines [][]byte
	for _, k := range n.Kids() {
		line := binary.AppendUvarint(nil, uint64(len(k.Name())))
		line = append(line, k.Name()...)
		line = append(line, byte(k.Kind()), byte(k.State()))
		if k.Kind() == record.Leaf {
			line = append(line, k.Text()...)
		} else {
			inner := digest(k)
			line = append(line, inner[:]...)
		}
		lines = append(lines, line)
	}
	if n.Kind() == record.Group {
		slices.SortFunc(lines, slices.Compare)
	}
	h := sha256.New()
	var size [binary.MaxVarintLen64]byte
	for _, line := range lines {
		h.Write(size[:binary.PutUvarint(size[:], uint64(len(line)))])
		h.Write(line)
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}
