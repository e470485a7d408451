package draft

// class is what the values of a concept look like.
type class string

// fits says how well a column's values go with a class: 1 when they prove it, 0 when they say nothing, below 0 when they speak
// against it, never when they rule it out.
var fits = map[class]func(p *profile) float64{
	"any": func(p *profile) float64 { return 0 },
	"id": func(p *profile) float64 {
		switch {
		case p.han > 0.5 || p.day > 0.9 && p.moment > 0.1:
			return never
		case p.resident > 0.5:
			return -0.6
		}
		return share(p.ascii, 0.1) - share(p.long, 0)
	},
	"person": func(p *profile) float64 {
		if p.person < 0.5 {
			if p.ascii > 0.8 && p.integer+p.decimal < 0.1 && p.codelike < 0.9 {
				return -0.3 // names in letters, or accounts
			}
			return never
		}
		return share(p.person, 0.3)
	},
	"sex": func(p *profile) float64 {
		if p.distinct > 12 || p.maximum > 8 {
			return never
		}
		return share(p.sex, 0.3) - share(1-p.sex, 0.6)
	},
	"day": func(p *profile) float64 {
		if p.day < 0.6 {
			return never
		}
		return 0.2 - share(p.moment, 0.1)
	},
	"time": func(p *profile) float64 {
		if p.day < 0.6 {
			return never
		}
		return 0.2
	},
	"age": func(p *profile) float64 {
		if p.day > 0.5 || p.maximum > 12 {
			return never
		}
		return share(p.age, 0.2) + share(p.integer, 0.1)
	},
	"resident": func(p *profile) float64 {
		if p.resident > 0.5 {
			return 0.5
		}
		if p.near > 0.3 || p.resident > 0 {
			return 0.1
		}
		if p.day > 0.8 || p.han > 0.5 || p.maximum < 6 {
			return never
		}
		return -0.2
	},
	"phone": func(p *profile) float64 {
		if p.telephone < 0.4 {
			return never
		}
		return share(p.mobile, 0.3)
	},
	"code": func(p *profile) float64 {
		if p.day > 0.8 && p.digits8 < 0.5 || p.maximum > 60 || p.sentence > 0.5 {
			return never
		}
		if p.outcome > 0.9 && p.decimal > 0.9 && p.integer < 0.5 {
			return never
		}
		switch {
		case p.resident > 0.5:
			return never
		case few(p):
			return 0.1
		}
		return share(p.codelike, 0.05)
	},
	"itemcode": func(p *profile) float64 {
		if p.day > 0.8 && p.digits8 < 0.5 || p.han > 0.6 || p.maximum > 40 || p.resident > 0.5 {
			return never
		}
		return share(p.codelike, 0.15)
	},
	"itemname": func(p *profile) float64 {
		if p.day > 0.5 || p.decimal > 0.5 {
			return never
		}
		return share(p.han, 0.2) - share(p.person, 0.3)
	},
	"staffcode": func(p *profile) float64 {
		if p.person > 0.4 || p.han > 0.5 || p.day > 0.5 && p.moment > 0.2 {
			return never
		}
		return share(p.codelike, 0.1)
	},
	"deptcode": func(p *profile) float64 {
		if p.han > 0.5 || p.day > 0.5 && p.moment > 0.2 {
			return never
		}
		return share(p.codelike, 0.1)
	},
	"deptname": func(p *profile) float64 {
		if p.han < 0.5 || p.sentence > 0.5 {
			return never
		}
		return 0.1
	},
	"orgcode": func(p *profile) float64 {
		if p.day > 0.8 && p.moment > 0.2 || p.resident > 0.5 || p.person > 0.8 {
			return never
		}
		return share(p.organization, 0.1)
	},
	"dxcode": func(p *profile) float64 {
		if p.han > 0.5 || p.day > 0.5 || p.decimal > 0.8 {
			return never
		}
		return share(p.dx, 0.5)
	},
	"han": func(p *profile) float64 {
		if p.han < 0.3 {
			return never
		}
		return share(p.han, 0.15) - share(p.person, 0.2)
	},
	"text": func(p *profile) float64 {
		switch {
		case p.day > 0.7:
			return never
		case p.codelike > 0.9 && p.maximum < 8 && p.han < 0.1:
			return -0.4
		}
		return share(p.sentence, 0.3) + share(p.han, 0.05)
	},
	"int": func(p *profile) float64 {
		if p.integer < 0.6 || p.maximum > 6 {
			return never
		}
		return 0.1
	},
	"number": func(p *profile) float64 {
		if p.decimal < 0.6 {
			return never
		}
		return 0.1
	},
	"result": func(p *profile) float64 {
		if p.day > 0.7 && p.digits8 < 0.5 || p.resident > 0.3 {
			return never
		}
		return share(p.outcome, 0.2) - share(1-p.outcome, 0.2)
	},
	"range": func(p *profile) float64 {
		if p.day > 0.7 {
			return never
		}
		return share(p.ranged, 0.4) - share(1-p.ranged, 0.2)
	},
	"unit": func(p *profile) float64 {
		if p.unit < 0.3 {
			return never
		}
		return share(p.unit, 0.3)
	},
	"flag": func(p *profile) float64 {
		if p.distinct > 20 || p.maximum > 8 {
			return never
		}
		return share(p.flag, 0.2)
	},
	"yes": func(p *profile) float64 {
		if p.yes < 0.8 {
			return never
		}
		return 0.1
	},
	"route": func(p *profile) float64 {
		if p.maximum > 20 || p.day > 0.5 {
			return never
		}
		return 0.05
	},
	"freq": func(p *profile) float64 {
		if p.maximum > 20 || p.day > 0.5 || p.decimal > 0.9 && p.integer < 0.9 {
			return never
		}
		return share(p.freq, 0.4)
	},
	"address": func(p *profile) float64 {
		if p.han < 0.5 || p.maximum < 4 {
			return never
		}
		return 0.1
	},
	"url": func(p *profile) float64 {
		if p.url < 0.5 {
			return never
		}
		return 0.3
	},
	"base64": func(p *profile) float64 {
		if p.file < 0.5 {
			return never
		}
		return 0.3
	},
}

// wordy reports a column of few short words, such as could be translated one by one.
func wordy(p *profile) bool { return !p.more && p.distinct > 0 && p.distinct <= 60 && p.maximum <= 20 }

// never is below every score that a heading could give.
const never = -10

func share(s, most float64) float64 { return s * most }

// few reports a column of a handful of values that come again.
func few(p *profile) bool { return !p.more && p.distinct <= 30 && p.distinct*3 <= p.present }

// evidence of values alone, for columns whose headings say nothing.
func (p *profile) speaksFor() (concept string, strength float64) {
	if p.resident > 0.6 && p.present >= 2 {
		return "idno", 0.75
	}
	return "", 0
}
