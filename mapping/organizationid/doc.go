// Package organizationid reads the numbers of Chinese organisations: the unified social credit code (统一社会信用代码,
// GB 32100-2015) and the organisation code inside it (组织机构代码, GB 11714-1997).
//
// It owns spelling and check characters. It does not know which organisation a number names.
package organizationid
