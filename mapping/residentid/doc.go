// Package residentid reads the numbers of Chinese identity documents of the 18-digit family: the resident identity card
// (GB 11643), the residence permit for people from Hong Kong, Macao and Taiwan, and the foreigner's permanent residence card.
//
// It owns spelling, check digit, birth date, sex and the many ways to write "no number". It does not decide what an
// invalid number means for a record, nor who is whom: newborns often carry their mother's number.
//
// Source: GB 11643-1999 公民身份号码, ISO/IEC 7064 MOD 11-2.
package residentid
