package alliancegen

import (
	"slices"
	"strings"
)

// department notes a department or ward that a record or list names. What one
// mention does not say another may.
func (s *story) department(d Department) {
	for i := range s.departments {
		if have := &s.departments[i]; have.Institution == d.Institution && have.Code == d.Code {
			if have.Name == "" {
				have.Name = d.Name
			}
			if have.PartOf == "" {
				have.PartOf = d.PartOf
			}
			return
		}
	}
	s.departments = append(s.departments, d)
}

// member notes somebody whom a record or list names with a number.
func (s *story) member(m Member) {
	if m.Number == "" {
		return
	}
	for i := range s.staff {
		if have := &s.staff[i]; have.Institution == m.Institution && have.Number == m.Number {
			if have.Name != m.Name {
				panic("alliancegen: two people of " + m.Institution + " have one staff number")
			}
			if have.Department == "" {
				have.Department = m.Department
			}
			if have.Title.Code == "" {
				have.Title = m.Title
			}
			return
		}
	}
	s.staff = append(s.staff, m)
}

// mention notes a department, the ward somebody lies in, and people, as a record
// names them.
func (s *story) mention(institution string, dept Coded, bed string, people ...Staff) {
	if dept.Code != "" {
		s.department(Department{Institution: institution, Code: dept.Code, Name: dept.Text, Kind: "department"})
		if bed != "" {
			s.department(Department{Institution: institution, Code: dept.Code + "01", Kind: "ward", PartOf: dept.Code})
		}
	}
	for _, p := range people {
		s.member(Member{Institution: institution, Number: p.Number, Name: p.Name})
	}
}

// masters puts departments and staff into the ledger by institution and number.
func (s *story) masters(l *Ledger) {
	order := func(id string) int {
		return slices.IndexFunc(l.Institutions, func(i Institution) bool { return i.ID == id })
	}
	l.Departments, l.Staff = slices.Clone(s.departments), slices.Clone(s.staff)
	slices.SortFunc(l.Departments, func(a, b Department) int {
		if a.Institution != b.Institution {
			return order(a.Institution) - order(b.Institution)
		}
		return strings.Compare(a.Code, b.Code)
	})
	slices.SortFunc(l.Staff, func(a, b Member) int {
		if a.Institution != b.Institution {
			return order(a.Institution) - order(b.Institution)
		}
		return strings.Compare(a.Number, b.Number)
	})
}
