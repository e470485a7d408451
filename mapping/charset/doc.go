// Package charset decides what the bytes of a record are and decodes them,
// before anything is split: trail bytes of GBK include | ^ \ ~ [ ] { }, so that
// delimiters can be told from characters in decoded text only.
//
// What a sender declares, what the institution's setting says and what the bytes
// are may differ. Every encoding that is declared, set or common in the field
// (UTF-8, GB18030) and that can hold the bytes at all is a candidate; the one
// whose text is the more likely one wins, and a declaration that was not true
// becomes an issue. GBK and GB2312, which senders write for any Chinese text, are
// read as GB18030, which contains both.
//
// Invalid bytes are an error with their place, never U+FFFD. The package owns no
// record format; it counts lines as all of them do: CR, LF or CR LF.
//
// Names of character sets: HL7 v2 table 0211 and
// https://www.iana.org/assignments/character-sets.
package charset
