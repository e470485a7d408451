// Package phone reads telephone numbers as they are typed into Chinese registration forms: several in one field, with
// extensions, in full-width digits, with remarks.
//
// It owns the spelling and the kind of a number. It does not know whose it is, nor whether it rings.
//
// Source: the numbering plan of mainland China, https://www.itu.int/oth/T0202000086/en.
package phone
