package alliancegen

import "bytes"

// Further reasons, of workbooks.
const (
	Digits     = "digits"      // a resident number that a spreadsheet kept as a number
	ErrorValue = "error-value" // #N/A where the key stands
	OldFormat  = "old-format"  // a real .xls
)

// badWorkbooks are a workbook with bad rows among good ones, files that cannot be read at
// all, and a page of HTML called .xls that can.
func (s *story) badWorkbooks() ([]File, Bad) {
	b := &badMaker{s: s}
	t := s.town
	dir := "bad/05-township-center-workbook/"
	day := s.at(56, 0, 0).Format("20060102")
	scrap := &book{day: s.at(56, 0, 0), rows: map[string][]*bookRow{}}
	row := func(i int, reason string, bend func(cells map[string]xcell)) *bookRow {
		h := s.human("bad")
		s.persons = s.persons[:len(s.persons)-1]
		p := s.atTownship(h, only(ResidentID))
		cells := t.resident(p, s.at(55, 8, i))
		bend(cells)
		rec := &Record{Institution: Township, Kind: "居民档案", Key: rowKey(sheetByName("居民档案"), cells), Patient: p.ID, Fate: Committed, Reason: reason}
		if reason == "" {
			b.out.Patients = append(b.out.Patients, p)
		}
		return &bookRow{cells: cells, record: rec}
	}
	whole := func(map[string]xcell) {}
	set := func(column string, c xcell) func(map[string]xcell) {
		return func(cells map[string]xcell) { cells[column] = c }
	}
	for i, x := range []struct {
		reason string
		bend   func(map[string]xcell)
	}{
		{"", whole},
		{Digits, func(cells map[string]xcell) { // 18 digits, of which 15 are left
			id := cells["身份证号"].text
			cells["身份证号"] = figure(id[:1]+"."+id[1:15]+"E+17", "")
		}},
		{"", whole},
		{Digits, func(cells map[string]xcell) { // what it showed, copied as text
			id := cells["身份证号"].text
			cells["身份证号"] = text(id[:1] + "." + id[1:6] + "E+17")
		}},
		{Formula, set("姓名", text("=cmd|' /C calc'!A0"))},
		{"", whole},
		{ErrorValue, set("档案号", xcell{kind: xerror, text: "#N/A"})},
		{Identity, set("档案号", xcell{})},
		{"", whole},
	} {
		scrap.rows["居民档案"] = append(scrap.rows["居民档案"], row(i, x.reason, x.bend))
	}
	path := dir + "白河镇卫生院_" + day + ".xlsx"
	good := t.render(scrap, path, true).bytes()
	b.files = append(b.files, File{path, good})
	for _, r := range scrap.rows["居民档案"] {
		b.record(path, r.record.Position, Township, r.record.Kind, r.record.Key, r.record.Reason)
	}

	half := dir + "白河镇卫生院_" + day + "_2.xlsx"
	b.files = append(b.files, File{half, bytes.Clone(good[:len(good)/2])})
	b.record(half, 1, Township, "workbook", "workbook", Truncated)

	old := dir + "白河镇卫生院_旧版.xls"
	b.files = append(b.files, File{old, biff()})
	b.record(old, 1, Township, "workbook", "workbook", OldFormat)

	page := &list{rows: []*bookRow{row(10, "", whole), row(11, "", whole)}}
	html := dir + "居民档案_" + day + ".xls"
	b.files = append(b.files, File{html, page.html(html)})
	for _, r := range page.rows {
		b.record(html, r.record.Position, Township, r.record.Kind, r.record.Key, "")
	}
	return b.files, b.out
}

// biff is the beginning of a compound file, as Excel 97 wrote them: enough to be known.
func biff() []byte {
	out := make([]byte, 1536)
	copy(out, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	copy(out[24:], "\x3E\x00\x03\x00\xFE\xFF\x09\x00\x06\x00")
	copy(out[512:], "\x09\x08\x10\x00\x00\x06\x05\x00") // BOF of BIFF8
	return out
}
