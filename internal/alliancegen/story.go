package alliancegen

import (
	"fmt"
	"time"
)

// story is the world while it is being told: what is true, and the three systems
// that write it down. Truth is changed first and then sent, so a record always shows
// the truth of its moment and the ledger that of the end.
type story struct {
	r       *rng
	seed    uint64
	day0    time.Time
	names   map[string]bool
	used    map[string]bool // numbers given out, all kinds
	serial  map[string]int
	persons []*Person
	doctors map[string][]Staff
	habits  map[string]*habits
	city    *city
	county  *county
	lab     *lab
	town    *township

	departments []Department
	staff       []Member

	strangers []Pair
	reviews   []Review
	traps     []*trap
	records   []*Record
}

// trap collects places; records get their place when the files are written.
type trap struct {
	name    string
	records []*Record
	places  []string
}

func newStory(seed uint64) *story {
	r := newRNG(seed)
	s := &story{
		r: r, seed: seed,
		day0:  time.Date(2025, 8, 18, 0, 0, 0, 0, zone).AddDate(0, 0, -7*int((seed-1)%40)),
		names: map[string]bool{}, used: map[string]bool{}, serial: map[string]int{},
		doctors: map[string][]Staff{}, habits: map[string]*habits{},
	}
	for _, inst := range []string{City, County, Lab} {
		s.habits[inst] = newHabits(r, inst)
		for i := range 8 {
			sex := pick(r, []string{"male", "female"})
			s.doctors[inst] = append(s.doctors[inst], Staff{fmt.Sprintf("%d%03d", 1+len(inst)%3, 10+i*7+r.intn(7)), s.name(sex, surnames, nil).han})
		}
	}
	s.city = newCity(s)
	s.county = newCounty(s)
	s.lab = newLab(s)
	return s
}

// at is a moment of the story: a day after its beginning, hour and minute.
func (s *story) at(day, hour, minute int) time.Time {
	return s.day0.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// hour is a moment in the working hours of a day.
func (s *story) hour(day int) time.Time { return s.at(day, s.r.between(8, 16), s.r.intn(60)) }

func (s *story) doctor(institution string) Staff { return pick(s.r, s.doctors[institution]) }

// number gives out the next number of a series, with steps that hide the count.
func (s *story) number(series, format string, first int) string {
	if s.serial[series] == 0 {
		s.serial[series] = first + s.r.intn(first/2+1)
	}
	for {
		s.serial[series] += s.r.between(1, 9)
		n := fmt.Sprintf(format, s.serial[series])
		if !s.used[series+n] {
			s.used[series+n] = true
			return n
		}
	}
}

func (s *story) trap(name string, places ...any) {
	var t *trap
	for _, have := range s.traps {
		if have.name == name {
			t = have
		}
	}
	if t == nil {
		t = &trap{name: name}
		s.traps = append(s.traps, t)
	}
	for _, p := range places {
		switch p := p.(type) {
		case *Record:
			t.records = append(t.records, p)
		case *Patient:
			t.places = append(t.places, "patient "+p.Institution+"/"+p.ID)
		case *Report:
			t.places = append(t.places, "report "+p.Institution+"/"+p.Number)
		case *Order:
			t.places = append(t.places, "order "+p.Institution+"/"+p.Number)
		case *Visit:
			t.places = append(t.places, "visit "+p.Institution+"/"+p.Number)
		case *Referral:
			t.places = append(t.places, "referral "+p.Institution+"/"+p.Number)
		case *Person:
			t.places = append(t.places, "person "+p.Key)
		case string:
			t.places = append(t.places, p)
		default:
			panic(fmt.Sprintf("alliancegen: a trap cannot lie at %T", p))
		}
	}
}

func ref(p *Patient) Ref { return Ref{p.Institution, p.ID} }

func (s *story) never(a, b *Patient, why string) {
	s.strangers = append(s.strangers, Pair{ref(a), ref(b), why})
}

func (s *story) review(a, b *Patient, why string, required bool) {
	s.reviews = append(s.reviews, Review{ref(a), ref(b), why, required})
	s.strangers = append(s.strangers, Pair{ref(a), ref(b), why})
}

// human is who a person really is; institutions record it more or less well.
type human struct {
	*Person
	name      fullName
	sex       string
	birth     time.Time
	id, card  string
	phone     string
	address   string
	marital   string
	ethnicity string
	contact   Contact
}

type trait func(*human)

// human invents somebody. Traits change what chance would give.
func (s *story) human(note string, traits ...trait) *human {
	h := &human{Person: &Person{Key: fmt.Sprintf("P%03d", len(s.persons)+1), Note: note}}
	h.sex = pick(s.r, []string{"male", "female"})
	h.birth = time.Date(s.r.between(1938, 2001), time.Month(s.r.between(1, 12)), s.r.between(1, 28), 0, 0, 0, 0, zone)
	for _, t := range traits {
		t(h)
	}
	if h.name.han == "" {
		h.name = s.name(h.sex, surnames, nil)
	}
	h.id = residentID(s.r, h.sex, h.birth)
	h.card = healthCard(s.r)
	h.phone = phone(s.r)
	h.address = fmt.Sprintf("衡远市%s%s%d号", pick(s.r, []string{"青崖县", "云溪区", "北亭区"}), pick(s.r, streets), s.r.between(1, 220))
	if h.marital == "" {
		h.marital = pick(s.r, []string{"10", "20", "20", "20", "22", "30", "40"})
	}
	if h.ethnicity == "" {
		h.ethnicity = pick(s.r, []string{"01", "01", "01", "01", "03", "06", "11", "15"})
	}
	h.contact = Contact{s.name(pick(s.r, []string{"male", "female"}), surnames, nil).han, pick(s.r, []string{"1", "2", "3", "5", "7"}), phone(s.r)}
	s.persons = append(s.persons, h.Person)
	return h
}

func (s *story) man(h *human)   { h.sex = "male" }
func (s *story) woman(h *human) { h.sex = "female" }

// born between two years.
func (s *story) born(from, to int) trait {
	return func(h *human) {
		h.birth = time.Date(s.r.between(from, to), time.Month(s.r.between(1, 12)), s.r.between(1, 28), 0, 0, 0, 0, zone)
	}
}

// named with a character of extra.
func (s *story) named(extra []sign) trait {
	return func(h *human) { h.name = s.name(h.sex, surnames, extra) }
}

func resident(id string) Identifier {
	return Identifier{Kind: ResidentID, Value: id, Sent: id, Usable: true}
}

func card(no string) Identifier {
	return Identifier{Kind: HealthCard, Value: no, Sent: no, Usable: true}
}

// patient registers a human at an institution with full demographics and the
// identifiers given; mods change what the institution records.
func (s *story) patient(h *human, institution, number string, ids []Identifier, mods ...func(*Patient)) *Patient {
	c := h.contact
	p := &Patient{
		Institution: institution, ID: number, Identifiers: ids,
		Name: h.name.han, Sex: h.sex, Birth: date(h.birth), Phone: h.phone, Address: h.address,
		Marital: h.marital, Ethnicity: h.ethnicity, Contact: &c, person: h.Person,
	}
	for _, m := range mods {
		m(p)
	}
	h.Patients = append(h.Patients, p)
	return p
}

// atCity registers with MRN, resident number and health card.
func (s *story) atCity(h *human, mods ...func(*Patient)) *Patient {
	p := s.patient(h, City, s.number("mrn", "%08d", 310000), []Identifier{resident(h.id), card(h.card)})
	if s.r.intn(3) == 0 {
		p.Pinyin = h.name.pinyin
	}
	p.style = s.city.style()
	for _, m := range mods {
		m(p)
	}
	return p
}

// atCounty registers with HZID, resident number and, mostly, health card.
func (s *story) atCounty(h *human, mods ...func(*Patient)) *Patient {
	ids := []Identifier{resident(h.id)}
	if s.r.intn(3) > 0 {
		ids = append(ids, card(h.card))
	}
	p := s.patient(h, County, s.number("hzid", "%08d", 520000), ids)
	p.style = s.county.style()
	for _, m := range mods {
		m(p)
	}
	return p
}

// atLab makes the laboratory know a sender's patient by the kinds of identifier
// asked for. The laboratory records name, sex, birth date and no more.
func (s *story) atLab(h *human, sender *Patient, kinds ...string) *Patient {
	var ids []Identifier
	for _, k := range kinds {
		if k == SenderNumber {
			ids = append(ids, Identifier{Kind: SenderNumber, Value: sender.ID, Sent: sender.ID, Institution: sender.Institution, Usable: true})
			continue
		}
		for _, id := range sender.Identifiers {
			if id.Kind == k {
				ids = append(ids, id)
			}
		}
	}
	p := s.patient(h, Lab, s.number("subject", "SJ%07d", 400000), ids)
	p.Name, p.Sex, p.Birth = sender.Name, sender.Sex, sender.Birth
	p.Address, p.Marital, p.Ethnicity, p.Contact = "", "", "", nil
	p.Phone = ""
	if s.r.intn(2) == 0 {
		p.Phone = sender.Phone
	}
	return p
}

func noIDs(p *Patient) { p.Identifiers = nil }

// only keeps the identifiers of one kind.
func only(kind string) func(*Patient) {
	return func(p *Patient) {
		var keep []Identifier
		for _, id := range p.Identifiers {
			if id.Kind == kind {
				keep = append(keep, id)
			}
		}
		p.Identifiers = keep
	}
}

// sentAs changes how an identifier is written.
func sentAs(kind string, write func(string) string) func(*Patient) {
	return func(p *Patient) {
		for i := range p.Identifiers {
			if p.Identifiers[i].Kind == kind {
				p.Identifiers[i].Sent = write(p.Identifiers[i].Value)
			}
		}
	}
}

// with sets one unusable or usable identifier alone.
func with(ids ...Identifier) func(*Patient) {
	return func(p *Patient) { p.Identifiers = ids }
}

func placeholder(text string) Identifier {
	return Identifier{Kind: Placeholder, Value: text, Sent: text}
}
