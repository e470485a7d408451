package alliancegen_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/yilian/yilian/internal/alliancegen"
)

// traps of the field that every seed must contain.
var traps = strings.Fields(`
	missing-msh18 lying-msh18 truthful-utf8 declared-gb18030
	gbk-trail-caret gbk-trail-backslash gbk-trail-bar gbk-trail-tilde four-byte-name rare-surname
	escaped-delimiters escaped-unit line-breaks-in-text quotes-and-newlines health-card-in-z-segment sparse-pid
	delete-value name-change merge-a40 preadmit-a05 cancel-admit-a11 cancel-transfer-a12 cancel-discharge-a13
	deceased checkup-class grouped-orders order-cancelled two-reports-in-one-message preliminary-then-final
	retransmitted-message retransmitted-document control-id-reused duplicate-row old-after-new older-row back-and-forth
	absent-column empty-cell column-order-differs trailing-spaces old-marital-code
	mixed-dates mislabelled-utc day-precision mixed-sex-codes age-text
	below-detection above-range ordinal-weak ordinal-plus ordinal-positive ordinal-negative ordinal-and-number titre
	value-haemolysed value-see-report value-missing sn-comparator coded-value json-number repeated-item unmapped-code
	flag-arrow flag-p-is-normal unit-spelling range-spelling range-by-sex recognition-mark leading-zeros
	corrected-report voided-report microbiology culture-negative imaging-report ecg-report
	newborn-with-mothers-id placeholder-id same-id-other-person fifteen-digit-id lower-case-x full-width-id spaces-in-id
	namesakes health-card-only no-identifier equal-local-numbers equal-order-numbers sender-number-only
	sender-number-before-patient bad-check-digit variant-name birth-date-differs-from-id passport
	person-in-three-institutions referral-up referral-down result-before-order order-before-result order-never-arrives
	sex-unknown sender-not-a-member recent-hba1c-elsewhere daily-number-repeats admit-source-differs visit-cancelled prescription-cancelled
	hidden-sheet two-row-heading sheet-name-suffix date-1904 merged-cells formatted-runs formula-with-saved-value full-width-digits
	number-format-shows-digits remote-diagnosis wide-report two-reports-of-one-specimen voided-result title-changes html-named-xls
	name-and-phone-only twins person-in-five-institutions staff-list
	pathology-report attachment-image attachment-pdf imaging-study culture-in-er7 result-corrected result-added result-voided`)

func TestEveryTrapIsThereForEverySeed(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		for _, name := range traps {
			if len(a.Ledger.Trap(name)) == 0 {
				t.Errorf("seed %d: no %s", seed, name)
			}
		}
		for _, trap := range a.Ledger.Traps {
			for _, where := range trap.Where {
				if !exists(a, where) {
					t.Errorf("seed %d: %s lies at %q, which is nowhere", seed, trap.Name, where)
				}
			}
		}
	}
}

func exists(a *alliancegen.Alliance, where string) bool {
	kind, name, _ := strings.Cut(where, " ")
	inst, number, _ := strings.Cut(name, "/")
	for _, p := range a.Ledger.Persons {
		switch kind {
		case "person":
			if p.Key == name {
				return true
			}
		case "patient":
			if q, _ := a.Ledger.Patient(inst, number); q != nil {
				return true
			}
		case "report":
			for _, r := range p.Reports {
				if r.Institution == inst && r.Number == number {
					return true
				}
			}
		case "order":
			for _, o := range p.Orders {
				if o.Institution == inst && o.Number == number {
					return true
				}
			}
		case "visit":
			for _, v := range p.Visits {
				if v.Institution == inst && v.Number == number {
					return true
				}
			}
		case "referral":
			for _, r := range p.Referrals {
				if r.Institution == inst && r.Number == number {
					return true
				}
			}
		}
	}
	path, position, _ := strings.Cut(kind, "#")
	for _, f := range a.Files {
		if strings.HasPrefix(f.Path, path) && strings.HasPrefix(path, "deliveries/") {
			n, err := strconv.Atoi(position)
			return position == "" || err == nil && n > 0
		}
	}
	return false
}

// Some traps are only traps if the bytes are as described.
func TestTrapsAreInTheBytes(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		var text string
		for _, f := range a.Deliveries() {
			text += decode(t, f.Bytes)
		}
		for what, want := range map[string]string{
			"deleted value":        `|""|`,
			"escaped caret":        `10\S\`,
			"escaped ampersand":    `\T\`,
			"escaped backslash":    `\E\`,
			"escaped bar":          `\F\`,
			"escaped tilde":        `\R\`,
			"segment from Z":       "\rZPI|",
			"merge segment":        "\rMRG|",
			"voided report":        "|X|",
			"deleted observation":  "|D|",
			"findings":             "&GDT^",
			"impression":           "&IMP^",
			"recognition mark":     "【全国HR】",
			"titre":                "1^:^",
			"coded value":          "|CE|",
			"wrong Z":              ":00Z",
			"placeholder":          "111111111111111111",
			"JSON null":            `"result": null`,
			"age":                  "3月12天",
			"range of men":         "男:57-97",
			"doubled quotes":       `""東湖錦苑""`,
			"comparator in NM":     "<",
			"full-width digits":    "９９",
			"one identifier twice": "^MR~99",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("seed %d: no %s", seed, what)
			}
		}
		if !strings.Contains(text, `\.br\`) && !strings.Contains(text, `\X0D\`) {
			t.Errorf("seed %d: no escaped line break", seed)
		}
	}
}

func TestStrangersAreDifferentPersonsAndReviewsAreAmongThem(t *testing.T) {
	for _, seed := range seeds {
		l := generate(seed).Ledger
		pairs := map[[2]alliancegen.Ref]bool{}
		for _, s := range l.Strangers {
			_, a := l.Patient(s.A.Institution, s.A.Number)
			_, b := l.Patient(s.B.Institution, s.B.Number)
			if a == nil || b == nil || a == b {
				t.Errorf("seed %d: strangers %v and %v are one person or nobody", seed, s.A, s.B)
			}
			pairs[[2]alliancegen.Ref{s.A, s.B}] = true
		}
		required := 0
		for _, r := range l.Reviews {
			if !pairs[[2]alliancegen.Ref{r.A, r.B}] {
				t.Errorf("seed %d: a review pair may be joined", seed)
			}
			if r.Required {
				required++
			}
		}
		if required == 0 {
			t.Errorf("seed %d: nothing goes to review", seed)
		}
	}
}

// Two Patients with the same usable identifier are one person, or a review pair: the
// ledger must not ask for what no rule can know.
func TestLedgerAsksOnlyForWhatIdentifiersTell(t *testing.T) {
	for _, seed := range seeds {
		l := generate(seed).Ledger
		owner := map[string]string{}
		for _, p := range l.Persons {
			if len(p.Patients) == 0 {
				t.Errorf("seed %d: %s has no patient", seed, p.Key)
			}
			for _, q := range p.Patients {
				keys := []string{q.Institution + "|" + q.ID}
				for _, id := range q.Identifiers {
					if !id.Usable {
						continue
					}
					if id.Kind == alliancegen.SenderNumber {
						keys = append(keys, id.Institution+"|"+id.Value)
					} else {
						keys = append(keys, id.Kind+"|"+id.Value)
					}
				}
				for _, k := range keys {
					if owner[k] != "" && owner[k] != p.Key {
						t.Errorf("seed %d: an identifier belongs to %s and %s", seed, owner[k], p.Key)
					}
					owner[k] = p.Key
				}
			}
			// Linked by identifiers, or merged.
			if !connected(p.Patients) {
				t.Errorf("seed %d: nothing links the patients of %s", seed, p.Key)
			}
		}
	}
}

func connected(patients []*alliancegen.Patient) bool {
	keys := func(p *alliancegen.Patient) []string {
		out := []string{p.Institution + "|" + p.ID}
		if p.MergedInto != "" {
			out = append(out, p.Institution+"|"+p.MergedInto)
		}
		for _, id := range p.Identifiers {
			switch {
			case !id.Usable:
			case id.Kind == alliancegen.SenderNumber:
				out = append(out, id.Institution+"|"+id.Value)
			default:
				out = append(out, id.Kind+"|"+id.Value)
			}
		}
		return out
	}
	reached := map[string]bool{}
	for _, k := range keys(patients[0]) {
		reached[k] = true
	}
	for range patients {
		for _, p := range patients {
			for _, k := range keys(p) {
				if reached[k] {
					for _, k := range keys(p) {
						reached[k] = true
					}
					break
				}
			}
		}
	}
	for _, p := range patients {
		if !reached[p.Institution+"|"+p.ID] {
			return false
		}
	}
	return true
}

func TestBadRecordsStandAmongGoodOnes(t *testing.T) {
	for _, seed := range seeds {
		a := generate(seed)
		reasons := map[string]bool{}
		good := 0
		for _, r := range a.Ledger.Bad.Records {
			if a.File(r.File) == nil {
				t.Fatalf("seed %d: no file %q", seed, r.File)
			}
			if r.Fate == alliancegen.Quarantined {
				reasons[r.Reason] = true
			} else {
				good++
			}
		}
		for _, want := range []string{
			alliancegen.Truncated, alliancegen.Charset, alliancegen.Syntax, alliancegen.Columns, alliancegen.Formula, alliancegen.ControlChar,
			alliancegen.Limit, alliancegen.Version, alliancegen.Unknown, alliancegen.Identity,
			alliancegen.Digits, alliancegen.ErrorValue, alliancegen.OldFormat,
		} {
			if !reasons[want] {
				t.Errorf("seed %d: nothing is bad because of %s", seed, want)
			}
		}
		if good != len(a.Ledger.Bad.Patients) || good < 5 {
			t.Errorf("seed %d: %d good records of %d patients", seed, good, len(a.Ledger.Bad.Patients))
		}
	}
}
