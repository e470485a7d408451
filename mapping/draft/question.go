package draft

import "fmt"

// Question is something that the draft could not decide, or decided without being sure.
type Question struct {
	Place string `json:"place"` // a file of the folder, a table and column, a path, a segment
	Seen  string `json:"seen"`  // shapes and counts, never values
	Ask   string `json:"ask"`   // what to decide
	// Answer is the flag of "yilian map init" that decides it, "" where the folder itself is to be changed. A concept that is still
	// to be named stands as CONCEPT.
	Answer string `json:"answer,omitempty"`
}

// text is one sentence in both languages.
type text struct{ en, zh string }

func (t text) in(lang string) string {
	if lang == Chinese {
		return t.zh
	}
	return t.en
}

// say fills in a sentence.
func (d *drafter) say(t text, args ...any) string { return fmt.Sprintf(t.in(d.o.Lang), args...) }

func (d *drafter) ask(place, seen string, t text, args ...any) { d.askFor("", place, seen, t, args...) }

// askColumn asks about a column; to is what it may be confirmed to be.
func (d *drafter) askColumn(c *column, to string, t text, args ...any) {
	d.askFor(d.flag(c.spot(), to), d.place(c), d.shape(c), t, args...)
}

// flag writes the answer to a question as an argument for a shell.
func (d *drafter) flag(spot, to string) string {
	return "--is " + shellWord(oneLine(spot)+"="+to)
}

func (d *drafter) askFor(answer, place, seen string, t text, args ...any) {
	if len(d.out.Questions) >= d.lim.MaxAsked {
		d.unasked++
		return
	}
	q := Question{Place: oneLine(place), Seen: oneLine(seen), Ask: d.say(t, args...), Answer: answer}
	for _, have := range d.out.Questions {
		if have == q {
			return
		}
	}
	d.out.Questions = append(d.out.Questions, q)
}

// shape describes the values of a column without naming one.
func (d *drafter) shape(c *column) string {
	if c.present == 0 {
		return d.say(text{"no values", "没有值"})
	}
	var what text
	switch {
	case c.resident > 0.5:
		what = text{"18 digits with check character", "18位,校验位正确"}
	case c.near > 0.5:
		what = text{"18 characters like a resident number", "18位,形似身份证号"}
	case c.file > 0.5:
		what = text{"base64", "base64"}
	case c.url > 0.5:
		what = text{"web addresses", "网址"}
	case c.day > 0.6 && c.moment > 0.5:
		what = text{"dates with a time", "日期时间"}
	case c.day > 0.6:
		what = text{"dates", "日期"}
	case c.mobile > 0.6:
		what = text{"phone numbers", "电话号码"}
	case c.person > 0.7:
		what = text{"names of people", "人名"}
	case c.integer > 0.8:
		what = text{"whole numbers", "整数"}
	case c.decimal > 0.8:
		what = text{"numbers", "数字"}
	case c.sentence > 0.5:
		what = text{"sentences", "文字叙述"}
	case few(&c.profile):
		what = text{"codes", "代码"}
	case c.han > 0.5:
		what = text{"Chinese words", "中文词语"}
	case c.codelike > 0.8:
		what = text{"letters and digits", "字母和数字"}
	default:
		what = text{"texts", "文本"}
	}
	length := fmt.Sprint(c.minimum)
	if c.maximum != c.minimum {
		length = fmt.Sprintf("%d–%d", c.minimum, c.maximum)
	}
	more := ""
	if c.more {
		more = "+"
	}
	return what.in(d.o.Lang) + d.say(text{"; %s characters; %d%s different in %d of %d rows", ";%s个字符;%d%s种,%d/%d行有值"}, length, c.distinct, more, c.present, c.rows)
}
