package postgres

import (
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// packed is an array as the database reads it, written by hand: what is written most
// passes neither reflection nor a value of its own for each element.
type packed struct {
	count int
	body  []byte // the elements, each behind its length
}

// grow makes room for elements of so many bytes in all.
func (p *packed) grow(bytes int) { p.body = slices.Grow(p.body, bytes) }

// packing writes arrays of packed form. It is the codec of an array type whose other
// values go the driver's way; those of row types have none.
type packing struct {
	pgtype.Codec
	element uint32
}

func (p packing) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(*packed); ok && format == pgtype.BinaryFormatCode {
		return packingPlan{p.element}
	}
	return p.Codec.PlanEncode(m, oid, format, value)
}

type packingPlan struct{ element uint32 }

func (p packingPlan) Encode(value any, buf []byte) ([]byte, error) {
	list := value.(*packed)
	buf = arrayHead(buf, p.element, list.count)
	return append(buf, list.body...), nil
}

const rowTypesSQL = `SELECT t.typname::text, t.oid, t.typarray FROM pg_type t
WHERE t.oid IN (to_regtype('resource_row'), to_regtype('version_row'), to_regtype('word_row'))`

// learn makes a connection know the types that rows are written as.
func learn(ctx context.Context, c *pgx.Conn) error {
	m := c.TypeMap()
	for oid, element := range map[uint32]uint32{pgtype.Int4ArrayOID: pgtype.Int4OID, pgtype.Int8ArrayOID: pgtype.Int8OID,
		pgtype.Float8ArrayOID: pgtype.Float8OID, pgtype.ByteaArrayOID: pgtype.ByteaOID} {
		known, _ := m.TypeForOID(oid)
		m.RegisterType(&pgtype.Type{Name: known.Name, OID: oid, Codec: packing{known.Codec, element}})
	}
	rows, err := c.Query(ctx, rowTypesSQL, pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	var name string
	var oid, array uint32
	_, err = pgx.ForEachRow(rows, []any{&name, &oid, &array}, func() error {
		m.RegisterType(&pgtype.Type{Name: "_" + name, OID: array, Codec: packing{pgtype.ByteaCodec{}, oid}})
		return nil
	})
	return err
}

// The binary format of a value is its length, four bytes, and then its bytes; NULL has
// the length -1. See https://www.postgresql.org/docs/14/protocol-message-formats.html.

func arrayHead(buf []byte, element uint32, count int) []byte {
	if count == 0 {
		buf = binary.BigEndian.AppendUint64(buf, 0)
		return binary.BigEndian.AppendUint32(buf, element)
	}
	buf = binary.BigEndian.AppendUint64(buf, 1<<32) // one dimension, no NULL
	buf = binary.BigEndian.AppendUint32(buf, element)
	buf = binary.BigEndian.AppendUint32(buf, uint32(count))
	return binary.BigEndian.AppendUint32(buf, 1)
}

// row begins an element that has columns.
func (p *packed) row(columns int) (at int) {
	p.count++
	at = len(p.body)
	p.body = binary.BigEndian.AppendUint64(p.body, uint64(columns)) // the length follows
	return at
}

// end completes the element that began there.
func (p *packed) end(at int) { binary.BigEndian.PutUint32(p.body[at:], uint32(len(p.body)-at-4)) }

func (p *packed) typed(oid uint32, length int) {
	p.body = binary.BigEndian.AppendUint32(p.body, oid)
	p.body = binary.BigEndian.AppendUint32(p.body, uint32(length))
}

// Columns of a row.

func (p *packed) int8(n int64) {
	p.typed(pgtype.Int8OID, 8)
	p.body = binary.BigEndian.AppendUint64(p.body, uint64(n))
}

func (p *packed) int4(n int32) {
	p.typed(pgtype.Int4OID, 4)
	p.body = binary.BigEndian.AppendUint32(p.body, uint32(n))
}

func (p *packed) bool(b bool) {
	p.typed(pgtype.BoolOID, 1)
	if b {
		p.body = append(p.body, 1)
	} else {
		p.body = append(p.body, 0)
	}
}

// bytes writes nil as NULL.
func (p *packed) bytes(b []byte) {
	if b == nil {
		p.typed(pgtype.ByteaOID, -1)
		return
	}
	p.typed(pgtype.ByteaOID, len(b))
	p.body = append(p.body, b...)
}

func (p *packed) text(text string) {
	p.typed(pgtype.ByteaOID, len(text))
	p.body = append(p.body, text...)
}

// Columns that are arrays; an empty list is NULL.

const headBytes = 20 // of an array that has elements

func (p *packed) int8s(list []int64) {
	if len(list) == 0 {
		p.typed(pgtype.Int8ArrayOID, -1)
		return
	}
	p.typed(pgtype.Int8ArrayOID, headBytes+12*len(list))
	p.body = arrayHead(p.body, pgtype.Int8OID, len(list))
	for _, n := range list {
		p.body = appendInt8(p.body, n)
	}
}

func (p *packed) int4s(list []int32) {
	if len(list) == 0 {
		p.typed(pgtype.Int4ArrayOID, -1)
		return
	}
	p.typed(pgtype.Int4ArrayOID, headBytes+8*len(list))
	p.body = arrayHead(p.body, pgtype.Int4OID, len(list))
	for _, n := range list {
		p.body = appendInt4(p.body, n)
	}
}

func (p *packed) float8s(list []float64) {
	if len(list) == 0 {
		p.typed(pgtype.Float8ArrayOID, -1)
		return
	}
	p.typed(pgtype.Float8ArrayOID, headBytes+12*len(list))
	p.body = arrayHead(p.body, pgtype.Float8OID, len(list))
	for _, n := range list {
		p.body = appendInt8(p.body, int64(math.Float64bits(n)))
	}
}

func (p *packed) byteas(list [][]byte) {
	if len(list) == 0 {
		p.typed(pgtype.ByteaArrayOID, -1)
		return
	}
	length := headBytes
	for _, b := range list {
		length += 4 + len(b)
	}
	p.typed(pgtype.ByteaArrayOID, length)
	p.body = arrayHead(p.body, pgtype.ByteaOID, len(list))
	for _, b := range list {
		p.body = append(binary.BigEndian.AppendUint32(p.body, uint32(len(b))), b...)
	}
}

// Elements of an array of plain values.

func appendInt8(buf []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(buf, 0, 0, 0, 8), uint64(n))
}

func appendInt4(buf []byte, n int32) []byte {
	return binary.BigEndian.AppendUint64(buf, 4<<32|uint64(uint32(n)))
}

func (p *packed) addInt8(n int64) {
	p.count++
	p.body = appendInt8(p.body, n)
}

func (p *packed) addInt4(n int32) {
	p.count++
	p.body = appendInt4(p.body, n)
}

func (p *packed) addFloat8(n float64) { p.addInt8(int64(math.Float64bits(n))) }

func (p *packed) addText(text string) {
	p.count++
	p.body = append(binary.BigEndian.AppendUint32(p.body, uint32(len(text))), text...)
}

func (p *packed) addBytes(b []byte) {
	p.count++
	p.body = append(binary.BigEndian.AppendUint32(p.body, uint32(len(b))), b...)
}
