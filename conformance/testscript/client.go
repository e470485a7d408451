package testscript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/yilian/yilian/conformance/fhir"
)

// client speaks with one server, and with nobody else.
type client struct {
	base   *url.URL // without a slash at its end
	header http.Header
	http   *http.Client

	statement *fhir.Node // what the server said it can, once it was asked
}

func newClient(s Server) (*client, error) {
	base, err := url.Parse(s.Base)
	switch {
	case err != nil:
		return nil, errors.New("the base is no URL")
	case base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return nil, errors.New("the base must be an absolute URL with http or https")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the base must have neither user, query nor fragment")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = ""
	return &client{
		base:   base,
		header: s.Header.Clone(),
		http: &http.Client{
			Transport: &http.Transport{ // no proxy: the bases given are the only places asked
				TLSClientConfig:        s.TLS,
				TLSHandshakeTimeout:    10 * time.Second,
				MaxResponseHeaderBytes: 256 << 10,
				MaxIdleConnsPerHost:    4,
				IdleConnTimeout:        30 * time.Second,
				ForceAttemptHTTP2:      true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// owns reports whether a URL is below the base.
func (c *client) owns(u *url.URL) bool {
	if u.User != nil || !strings.EqualFold(u.Scheme, c.base.Scheme) || !strings.EqualFold(u.Host, c.base.Host) {
		return false
	}
	p := path.Clean("/" + u.Path)
	return p == path.Clean("/"+c.base.Path) || strings.HasPrefix(p, strings.TrimRight(c.base.Path, "/")+"/")
}

// message is a fixture, a request or a response.
type message struct {
	method string // of a request
	url    string
	status int // of a response
	header http.Header
	body   []byte
	node   *fhir.Node
	err    error // why the body is no resource
	read   bool
}

// resource returns the message's resource; nil with an error if it has none.
func (m *message) resource() (*fhir.Node, error) {
	if m.read {
		return m.node, m.err
	}
	m.read = true
	if len(m.body) == 0 {
		m.err = errors.New("there is no body")
		return nil, m.err
	}
	n, err := decode(bytes.Clone(m.body), m.header.Get("Content-Type"), len(m.body)+1)
	switch {
	case err != nil:
		m.err = fmt.Errorf("the body cannot be read: %w", err)
	case n.ResourceType() == "":
		m.err = errors.New("the body is no resource")
	default:
		m.node = n
	}
	return m.node, m.err
}

// errBody says that a response was too long.
type errBody int64

func (e errBody) Error() string { return fmt.Sprintf("the response is over %d bytes", int64(e)) }

// send makes the exchange. The returned request is as it went out.
func (c *client) send(ctx context.Context, m *message, limits Limits) (*message, error) {
	ctx, cancel := context.WithTimeout(ctx, limits.Request)
	defer cancel()
	var body io.Reader
	if m.body != nil {
		body = bytes.NewReader(m.body)
	}
	req, err := http.NewRequestWithContext(ctx, m.method, m.url, body)
	if err != nil {
		return nil, errors.New("the request cannot be made")
	}
	req.Header = m.header.Clone()
	for name, values := range c.header {
		if _, ok := req.Header[name]; !ok {
			req.Header[name] = slices.Clone(values)
		}
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header.Set("User-Agent", "yilian-testscript")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, transportError(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, limits.BodyBytes+1))
	out := &message{status: resp.StatusCode, header: resp.Header, url: m.url, method: m.method, body: answer}
	if int64(len(answer)) > limits.BodyBytes {
		out.body = nil
		return out, errBody(limits.BodyBytes)
	}
	if err != nil {
		return out, transportError(err)
	}
	return out, nil
}

// transportError leaves out the URL, which stands beside it.
func transportError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the server did not answer in time")
	case errors.Is(err, context.Canceled):
		return errors.New("the run was ended")
	}
	return fmt.Errorf("the server could not be asked: %w", err)
}

// secretHeaders are not shown.
var secretHeaders = []string{"Authorization", "Cookie", "Set-Cookie", "Proxy-Authorization"}

// exchange is what a report shows of a request and its response; what the server's own configuration adds to requests is
// not in the request's header.
func exchange(request, response *message, took time.Duration) *Exchange {
	e := &Exchange{Method: request.method, URL: request.url, RequestHeader: shownHeader(request.header),
		RequestBody: shownBody(request.body), Duration: took}
	if response != nil {
		e.Status, e.ResponseHeader, e.ResponseBody = response.status, shownHeader(response.header), shownBody(response.body)
	}
	return e
}

func shownHeader(h http.Header) http.Header {
	out := h.Clone()
	for _, name := range secretHeaders {
		if out.Get(name) != "" {
			out.Set(name, "(not shown)")
		}
	}
	return out
}

func shownBody(b []byte) string {
	if len(b) > MaxShownBody {
		return strings.ToValidUTF8(string(b[:MaxShownBody]), "\uFFFD") + fmt.Sprintf("\n… %d bytes more", len(b)-MaxShownBody)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
