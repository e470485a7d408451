package validate

import "math/bits"

// fields are the properties of a plan by name, in a table of a power of two: each at
// the place of its name or after it. At least half of the table is free, so that what is
// not there is found out soon, whatever the name.
type fields struct{ slots []*field }

func newFields(count int) fields {
	return fields{make([]*field, 2<<bits.Len(uint(count)))}
}

// get returns the property of that name, nil if there is none.
func (t fields) get(name string) *field {
	if name == "" {
		return nil
	}
	mask := uint(len(t.slots) - 1)
	for i := sketch(name); ; i++ {
		f := t.slots[i&mask]
		if f == nil || f.property.Name == name {
			return f
		}
	}
}

func (t fields) add(f *field) {
	mask := uint(len(t.slots) - 1)
	i := sketch(f.property.Name)
	for t.slots[i&mask] != nil {
		i++
	}
	t.slots[i&mask] = f
}

// sketch is a number that names rarely share, and that costs little.
func sketch(name string) uint {
	return uint(len(name)) + 3*uint(name[0]) + 5*uint(name[len(name)-1]) + 7*uint(name[len(name)/2])
}
