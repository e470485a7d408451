package alliancegen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// paper is an attachment with its bytes and how the city's records name it.
type paper struct {
	code          string // OBX-3.1
	kind, subtype string // OBX-5.2, OBX-5.3
	bytes         []byte
}

// attach adds a paper to a report.
func (rep *Report) attach(title, contentType string, p paper) {
	sum := sha256.Sum256(p.bytes)
	rep.papers = append(rep.papers, p)
	rep.Attachments = append(rep.Attachments, Attachment{Title: title, ContentType: contentType, SHA256: hex.EncodeToString(sum[:]), Size: len(p.bytes)})
}

// tracing is a PDF of one page: a grid, a trace and the report's number.
func tracing(r *rng, number string) []byte {
	var page strings.Builder
	page.WriteString("0.5 w 0.9 0.6 0.6 RG\n")
	for i := range 15 {
		fmt.Fprintf(&page, "%d 120 m %d 260 l S\n", 40+i*10, 40+i*10)
		fmt.Fprintf(&page, "40 %d m 180 %d l S\n", 120+i*10, 120+i*10)
	}
	page.WriteString("0 0 0 RG 40 190 m\n")
	for x := 44; x <= 180; x += 4 {
		y := 190 + r.between(-2, 2)
		if (x-44)%32 == 12 {
			y = 240 + r.between(0, 8)
		}
		fmt.Fprintf(&page, "%d %d l\n", x, y)
	}
	fmt.Fprintf(&page, "S\nBT /F1 9 Tf 40 100 Td (ECG report %s) Tj ET\n", number)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 220 280] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%sendstream", page.Len(), page.String()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

// micrograph is a small picture: spots on a pink ground. It is stored uncompressed, so
// that equal pictures are equal bytes whatever compresses.
func micrograph(r *rng) []byte {
	const side = 40
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{
		color.RGBA{0xf4, 0xd8, 0xe4, 0xff}, color.RGBA{0xd9, 0x8c, 0xb3, 0xff}, color.RGBA{0x5b, 0x2a, 0x86, 0xff},
	})
	for range 14 {
		cx, cy, radius := r.intn(side), r.intn(side), r.between(2, 4)
		for y := range side {
			for x := range side {
				d := (x-cx)*(x-cx) + (y-cy)*(y-cy)
				switch {
				case d <= 1:
					img.SetColorIndex(x, y, 2)
				case d <= radius*radius && img.ColorIndexAt(x, y) == 0:
					img.SetColorIndex(x, y, 1)
				}
			}
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&b, img); err != nil {
		panic(err) // a buffer never fails
	}
	return b.Bytes()
}
