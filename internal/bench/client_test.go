package bench_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// client is one connection that stays open. It is for one goroutine.
type client struct {
	address string
	conn    net.Conn
	r       *bufio.Reader
	out     []byte
	body    []byte
}

// answer is what came back. Body is valid until the next request.
type answer struct {
	status         int
	etag, location string
	contentType    string
	body           []byte
}

const (
	answerTimeout = 2 * time.Minute
	maxAnswer     = 256 << 20
)

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// do sends one request. header is empty or whole lines, each with its end.
func (c *client) do(method, path, header string, body []byte) (answer, error) {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.address, 10*time.Second)
		if err != nil {
			return answer{}, err
		}
		c.conn, c.r = conn, bufio.NewReaderSize(conn, 64<<10)
	}
	b := append(c.out[:0], method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, c.address...)
	b = append(b, "\r\nAccept: application/fhir+json\r\n"...)
	b = append(b, header...)
	if body != nil {
		b = append(b, "Content-Type: application/fhir+json\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	b = append(b, body...)
	c.out = b
	_ = c.conn.SetDeadline(time.Now().Add(answerTimeout))
	_, err := c.conn.Write(b)
	var a answer
	if err == nil {
		a, err = c.read()
	}
	if err != nil {
		c.close()
	}
	return a, err
}

var errAnswer = errors.New("the answer is not HTTP as expected")

func (c *client) read() (a answer, err error) {
	line, err := c.line()
	if err != nil {
		return a, err
	}
	if len(line) < 12 {
		return a, errAnswer
	}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, errAnswer
	}
	length, chunked, last := -1, false, false
	for {
		if line, err = c.line(); err != nil {
			return a, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case is(name, "content-length"):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return a, errAnswer
			}
		case is(name, "transfer-encoding"):
			chunked = is(value, "chunked")
		case is(name, "connection"):
			last = is(value, "close")
		case is(name, "etag"):
			a.etag = string(value)
		case is(name, "location"):
			a.location = string(value)
		case is(name, "content-type"):
			a.contentType = string(value)
		}
	}
	c.body = c.body[:0]
	switch {
	case a.status == 204 || a.status == 304:
	case chunked:
		err = c.chunks()
	case length >= 0:
		err = c.more(length)
	default:
		return a, errAnswer
	}
	a.body = c.body
	if last {
		c.close()
	}
	return a, err
}

func is(b []byte, lower string) bool {
	return len(b) == len(lower) && bytes.EqualFold(b, []byte(lower))
}

func (c *client) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

func (c *client) more(n int) error {
	if n < 0 || len(c.body)+n > maxAnswer {
		return errAnswer
	}
	at := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	_, err := io.ReadFull(c.r, c.body[at:])
	return err
}

func (c *client) chunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseInt(string(size), 16, 32)
		if err != nil {
			return errAnswer
		}
		if err := c.more(int(n)); err != nil {
			return err
		}
		if line, err = c.line(); err != nil || len(line) > 0 {
			return errors.Join(fmt.Errorf("%w: a chunk's end", errAnswer), err)
		}
		if n == 0 {
			return nil
		}
	}
}
