package draft

import (
	"fmt"
	"slices"
	"strings"
)

// finish asks about what no guess was made for, and writes the list.
func (d *drafter) finish() {
	d.askFields()
	for _, r := range d.samples.refused {
		d.ask(r.file, r.code+fmt.Sprintf(" ×%d", r.times), text{"This part of the samples could not be read.", "样本的这一部分无法读取。"})
	}
	if d.samples.skipped > 0 {
		d.ask("samples", fmt.Sprint(d.samples.skipped), text{"So many records were beyond the limit and not looked at.", "超出上限、未查看的记录数。"})
	}
	if d.unasked > 0 {
		d.out.Questions = append(d.out.Questions, Question{Place: "…", Seen: fmt.Sprint(d.unasked), Ask: d.say(text{"further questions are not listed", "其余问题未列出"})})
	}
	d.file("TODO.md", []byte(d.list()))
}

// askFields asks about the columns that no rule reads.
func (d *drafter) askFields() {
	seen := map[*column]bool{}
	d.eachColumn(func(c *column) {
		if c.concept != nil && c.doubt && c.why != "" {
			d.askColumn(c, c.concept.name, text{"Taken for %s: %s. Is it?", "识别为%s:%s,对吗?"}, c.concept.name, c.why)
		}
		if c.left || c.concept != nil || seen[c] || c.scope.kind == noKind && c.scope.parent == nil && len(c.scope.kids) == 0 {
			return
		}
		seen[c] = true
		could := ""
		if len(c.rivals) > 0 {
			could = d.say(text{" It could be: %s.", "可能是:%s。"}, strings.Join(c.rivals, ", "))
		}
		d.askColumn(c, "CONCEPT", text{"What does it hold?%s", "含义不明。%s"}, could)
	})
	d.eachColumn(func(c *column) {
		if c.concept == nil || c.used || unread[c.concept.name] || c.scope.kind == noKind && len(c.scope.kids) == 0 {
			return
		}
		d.askColumn(c, "-", text{"Taken for %s, but no rule reads it. Is it needed?", "识别为%s,但没有规则读取它,是否需要?"}, c.concept.name)
	})
}

// unread are concepts that tell nothing a resource needs.
var unread = words("seq message message.type created modified sent version price org org.name age age.unit dx.main card.type item.en result.num")

func (d *drafter) list() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", d.say(text{"%s: to be decided", "%s:待确认事项"}, d.o.ID))
	b.WriteString(d.say(text{"%d records read; %d fields guessed, %d of them marked `# ?`, %d asked. The list names places, shapes and counts, never values.",
		"读取%d条记录;推测字段%d个(其中%d个标有`# ?`),待问%d个。本清单只列位置、形态和数量,不含任何值。"}, d.out.Records, d.out.Guessed, d.out.Doubtful, d.out.Asked) + "\n\n")
	if slices.ContainsFunc(d.out.Questions, func(q Question) bool { return q.Answer != "" }) {
		b.WriteString(d.say(text{"What has a flag is answered by drafting again, into another folder, with all the flags that hold: put a concept in the place of CONCEPT (`yilian map init --concepts` lists them), or `-` for what is to be left alone.",
			"带参数的问题:用这些参数再次起草到另一个目录即可作答;CONCEPT处填概念名(`yilian map init --concepts`列出全部),不需要的填`-`。"}) + "\n\n")
	}
	fmt.Fprintf(&b, "| %s | %s | %s | %s |\n|---|---|---|---|\n", d.say(text{"Place", "位置"}), d.say(text{"Seen", "所见"}), d.say(text{"To decide", "需决定"}), d.say(text{"Flag", "参数"}))
	for _, q := range d.out.Questions {
		flag := ""
		if q.Answer != "" {
			flag = "`" + cell(q.Answer) + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(q.Place), cell(q.Seen), cell(q.Ask), flag)
	}
	return b.String()
}

// cell makes a text safe for a table of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'", "\n", " ").Replace(s)
}
