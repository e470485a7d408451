// Package personname reads the names of persons as Chinese hospital systems write them.
//
// It owns the split into family and given name, the names that are none (无名氏, a newborn named after the mother) and Pinyin with
// the readings that characters have as surnames. It does not compare names or decide who is whom. The text is
// always kept; everything else is derived from it and may be absent.
//
// Characters outside the Basic Multilingual Plane (𠮷, 𨐈) are characters like all others here.
package personname
