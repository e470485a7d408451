package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

// trusting is YILIAN_AUTH=none: whoever reaches the loopback address sees all and
// writes for the alliance. Configuration refuses it on any other address.
type trusting struct{}

// Viewer returns the one viewer there is.
func (trusting) Viewer(*http.Request) (interaction.Viewer, error) {
	return interaction.Viewer{Client: "local", Institution: interaction.Alliance, Everything: true}, nil
}

// onlyHere refuses what a browser on this machine was made to send by a page from
// elsewhere: requests for another host's name, and those of another origin that was not
// named. Who trusts everybody on loopback must know that it is somebody on this machine.
func onlyHere(origins []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if !loopbackHost(r.Host) {
				return fault.New(fault.Forbidden, "without access control requests are answered for a loopback address only")
			}
			if origin := r.Header.Get("Origin"); origin != "" && !slices.Contains(origins, origin) {
				from, err := url.Parse(origin)
				if err != nil || !loopbackHost(from.Host) {
					return fault.New(fault.Forbidden, "without access control requests of other sites' pages are refused")
				}
			}
			return next(c)
		}
	}
}

func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
