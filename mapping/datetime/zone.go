package datetime

import (
	"errors"
	"sync"
	"time"
	_ "time/tzdata" // a gateway on a bare container still knows the zones, and China's summer time of 1986–1991
)

// China returns the zone of mainland China, the default everywhere in this package.
var China = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return time.FixedZone("Asia/Shanghai", 8*60*60)
	}
	return loc
})

// Zone returns the zone with the given name, an IANA name or an offset such as +08:00. The empty name is China.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return China(), nil
	}
	if name[0] == '+' || name[0] == '-' {
		p := parser{s: name}
		if !p.zone() || !p.done() {
			return nil, errors.New("zone: want an offset such as +08:00")
		}
		return time.FixedZone(name, int(p.v.offset)*60), nil
	}
	if name == "Local" {
		return nil, errors.New("zone: want an IANA name such as Asia/Shanghai, or an offset such as +08:00")
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, errors.New("zone: want an IANA name such as Asia/Shanghai, or an offset such as +08:00")
	}
	return loc, nil
}
