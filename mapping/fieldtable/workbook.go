package fieldtable

import (
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Workbook writes the paper as an .xlsx: a cover to sign, a sheet for each map, one of all local fields, one of all code
// tables. All cells are text.
func (p *Paper) Workbook(out io.Writer) (err error) {
	book := excelize.NewFile()
	defer func() {
		if closed := book.Close(); err == nil {
			err = closed
		}
	}()
	w := &workbook{File: book, words: p.words, names: map[string]bool{}}
	if w.bold, err = book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"},
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E8EEF7"}}}); err != nil {
		return fmt.Errorf("write the field table: %w", err)
	}
	if w.wrap, err = book.NewStyle(&excelize.Style{NumFmt: 49, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}}); err != nil {
		return fmt.Errorf("write the field table: %w", err)
	}
	w.cover(p)
	for _, s := range p.Sections {
		w.section(p, s)
	}
	w.sheet(p.words.fields, []float64{20, 34, 70}, []string{p.words.columnMap, p.words.field, p.words.element}, p.uses())
	var codes [][]string
	for _, t := range p.Tables {
		for _, r := range codeRows(t) {
			codes = append(codes, append([]string{t.Name()}, r...))
		}
	}
	w.sheet(p.words.tables, []float64{20, 16, 26, 44, 44, 30}, append([]string{p.words.table}, p.codeColumns()...), codes)
	if w.err == nil {
		w.err = book.DeleteSheet("Sheet1")
	}
	if w.err == nil {
		_, w.err = book.WriteTo(out)
	}
	if w.err != nil {
		return fmt.Errorf("write the field table: %w", w.err)
	}
	return nil
}

// workbook writes sheets; after an error it writes no more.
type workbook struct {
	*excelize.File
	words      *words
	names      map[string]bool
	bold, wrap int
	err        error
}

// maxSheetName is how many characters a sheet's name may have.
const maxSheetName = 31

var sheetName = strings.NewReplacer(":", " ", `\`, " ", "/", " ", "?", " ", "*", " ", "[", "(", "]", ")", "'", " ")

// name makes a name that a sheet may have and no other has.
func (w *workbook) name(wanted string) string {
	base := []rune(strings.TrimSpace(sheetName.Replace(wanted)))
	if len(base) == 0 {
		base = []rune("map")
	}
	for i := 1; ; i++ {
		suffix := []rune{}
		if i > 1 {
			suffix = []rune(fmt.Sprintf(" (%d)", i))
		}
		name := string(base[:min(len(base), maxSheetName-len(suffix))]) + string(suffix)
		if key := strings.ToLower(name); !w.names[key] && key != "sheet1" && key != "history" {
			w.names[key] = true
			return name
		}
	}
}

func (w *workbook) cover(p *Paper) {
	t := p.words
	rows := [][]string{{t.institution, p.Name, p.ID}, {t.version, p.Version, ""}, {t.summary, "", ""}, {"", "", ""}, {t.maps, t.reads, t.version}}
	for _, s := range p.Sections {
		rows = append(rows, []string{strings.TrimSpace(s.Map + " " + s.Title), s.Reads, s.Version})
	}
	rows = append(rows, []string{"", "", ""}, []string{t.sign, t.hospital, t.vendor}, []string{t.signature, "", ""}, []string{t.date, "", ""})
	w.sheet(t.title, []float64{30, 50, 40}, []string{t.title, "", ""}, rows)
}

func (w *workbook) section(p *Paper, s Section) {
	var rows [][]string
	for _, r := range s.Resources {
		for _, cells := range p.rows(r) {
			rows = append(rows, append([]string{r.Rule, r.How}, cells...))
		}
	}
	title := s.Map
	if s.Title != "" {
		title += " " + s.Title
	}
	heading := append([]string{p.words.rule, p.words.writing}, p.columns()...)
	w.sheet(title, []float64{18, 30, 28, 42, 16, 44, 18, 30, 8}, heading, rows)
}

// sheet writes a heading that stays in sight, and rows that can be filtered.
func (w *workbook) sheet(title string, widths []float64, heading []string, rows [][]string) {
	if w.err != nil {
		return
	}
	name := w.name(title)
	if _, w.err = w.NewSheet(name); w.err != nil {
		return
	}
	stream, err := w.NewStreamWriter(name)
	if err != nil {
		w.err = err
		return
	}
	for i, width := range widths {
		if w.err = stream.SetColWidth(i+1, i+1, width); w.err != nil {
			return
		}
	}
	if w.err = stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); w.err != nil {
		return
	}
	for i, cells := range append([][]string{heading}, rows...) {
		style := w.wrap
		if i == 0 {
			style = w.bold
		}
		line := make([]any, len(cells))
		for k, text := range cells {
			line[k] = excelize.Cell{StyleID: style, Value: text}
		}
		if w.err = stream.SetRow(fmt.Sprintf("A%d", i+1), line); w.err != nil {
			return
		}
	}
	if w.err = stream.Flush(); w.err != nil {
		return
	}
	if len(rows) > 0 {
		last, err := excelize.CoordinatesToCellName(len(heading), len(rows)+1)
		if err != nil {
			w.err = err
			return
		}
		w.err = w.AutoFilter(name, "A1:"+last, nil)
	}
}
