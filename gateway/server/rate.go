package server

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store/cached"
)

// rateWindow is the time over which requests are counted.
const rateWindow = time.Minute

// limitRate bounds how many requests a client sends in a minute, over all processes that
// share a cache. A client is who it is known as, its address where nobody is known. What
// tells whether the server is well is not counted.
func (p *process) limitRate() echo.MiddlewareFunc {
	limit := int64(p.config.Limits.Rate)
	rate := cached.Rate{Keys: p.store.keys, Counter: p.store.shared}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if limit == 0 {
			return next
		}
		return func(c echo.Context) error {
			switch c.Path() {
			case "/healthz", "/readyz", "/metrics":
				return next(c)
			}
			who := c.RealIP()
			if rate.Count(c.Request().Context(), "request", who, 1, rateWindow) > limit {
				now := time.Now()
				wait := now.Truncate(rateWindow).Add(rateWindow).Sub(now)
				c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(wait/time.Second)+1))
				return fault.New(fault.Busy, "too many requests; see Retry-After")
			}
			return next(c)
		}
	}
}
