package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A browser lets a page of another site read an answer, or send more than a form, only
// where the server says that it may.
//
// https://fetch.spec.whatwg.org/#http-cors-protocol

// exposed are the headers of answers that pages may read.
var exposed = strings.Join([]string{
	"Accept-Patch", "Allow", "Content-Disposition", "Content-Language", "Content-Location", "ETag", "Last-Modified", "Location", "Preference-Applied", "Retry-After", "X-Request-Id", securityContext,
}, ", ")

// preflightAge is how long, in seconds, a browser need not ask again what a page may do.
const preflightAge = 600

// admit lets pages of the sites named in Origins read the answer. Cookies mean nothing
// here; that they may come along only lets clients be that send them anyway.
func (h *Handler) admit(r *request) {
	if len(h.Origins) == 0 {
		return
	}
	header := r.Response().Header()
	header.Add("Vary", "Origin")
	origin := r.Request().Header.Get("Origin")
	if !slices.Contains(h.Origins, origin) {
		return
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Credentials", "true")
	if r.Request().Method != http.MethodOptions {
		header.Set("Access-Control-Expose-Headers", exposed)
	}
}

// preflight tells a browser which requests a page may send to an address.
func (h *Handler) preflight(r *request, allowed []string) {
	header := r.Response().Header()
	if header.Get("Access-Control-Allow-Origin") == "" || r.Request().Header.Get("Access-Control-Request-Method") == "" {
		return
	}
	header.Add("Vary", "Access-Control-Request-Headers")
	header.Set("Access-Control-Allow-Methods", strings.Join(allowed, ", "))
	if asked := r.Request().Header.Get("Access-Control-Request-Headers"); asked != "" {
		header.Set("Access-Control-Allow-Headers", asked)
	}
	header.Set("Access-Control-Max-Age", strconv.Itoa(preflightAge))
}
