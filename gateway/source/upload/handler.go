package upload

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// Inbox is where deliveries go.
type Inbox interface {
	Accept(ctx context.Context, d ingest.Delivery) (ingest.Acceptance, error)
	Wait(ctx context.Context, record string) ([]store.Record, error)
}

// Authenticator says who sends.
type Authenticator interface {
	Viewer(r *http.Request) (interaction.Viewer, error)
}

// Config is what a Handler is made of.
type Config struct {
	Inbox    Inbox
	Auth     Authenticator
	Delivery int64         // bytes of one delivery
	Wait     time.Duration // longest that ?wait=1 waits; default DefaultWait
	Fail     func(c echo.Context, err error) error
}

// DefaultWait bounds ?wait=1.
const DefaultWait = 5 * time.Minute

// Handler serves uploads.
type Handler struct{ Config }

// New returns a handler over c.
func New(c Config) *Handler {
	if c.Wait == 0 {
		c.Wait = DefaultWait
	}
	return &Handler{Config: c}
}

// Register adds the route to e.
func (h *Handler) Register(e *echo.Echo) {
	e.POST("/ingest/:institution", func(c echo.Context) error {
		if err := h.post(c); err != nil {
			return h.Fail(c, err)
		}
		return nil
	})
}

// hl7 is the media type of an ER7 message.
const hl7 = "application/hl7-v2"

func isHL7(text string) bool {
	media, _, err := mime.ParseMediaType(text)
	return err == nil && (media == hl7 || media == "x-application/hl7-v2+er7" || media == "application/edi-hl7")
}

func (h *Handler) post(c echo.Context) error {
	r := c.Request()
	viewer, err := h.Auth.Viewer(r)
	if err != nil {
		return err
	}
	institution := c.Param("institution")
	if viewer.Institution != institution && !viewer.Everything {
		return fault.New(fault.Forbidden, "the client sends for another institution")
	}
	files, err := h.files(c)
	if err != nil {
		return err
	}
	accepted, err := h.Inbox.Accept(r.Context(), ingest.Delivery{
		Institution: institution,
		Source:      c.QueryParam("source"),
		Control:     r.Header.Get("X-Delivery-Id"),
		Files:       files,
	})
	if err != nil {
		return err
	}
	if accepted.Ack != nil && isHL7(r.Header.Get("Accept")) {
		return c.Blob(http.StatusOK, hl7, accepted.Ack)
	}
	if c.QueryParam("wait") == "" {
		return c.JSON(http.StatusAccepted, AnswerTo(accepted, nil))
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.Wait)
	defer cancel()
	records, err := h.Inbox.Wait(ctx, accepted.Receipt.ID)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return c.JSON(http.StatusAccepted, AnswerTo(accepted, nil))
	case err != nil:
		return err
	}
	return c.JSON(http.StatusOK, AnswerTo(accepted, records))
}

// files reads the body: one file, or the parts of a form in their order.
func (h *Handler) files(c echo.Context) ([]ingest.File, error) {
	r := c.Request()
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body := http.MaxBytesReader(c.Response(), r.Body, h.Delivery)
	if !strings.HasPrefix(media, "multipart/") {
		text, err := io.ReadAll(body)
		if err != nil {
			return nil, h.readFault(err)
		}
		name := c.QueryParam("name")
		if name == "" {
			name = nameOf(media)
		}
		return []ingest.File{{Name: name, Bytes: text}}, nil
	}
	r.Body = body
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the form cannot be read")
	}
	var files []ingest.File
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, h.readFault(err)
		}
		if len(files) == maxFiles {
			return nil, fault.Newf(fault.TooCostly, "more than %d files in a delivery", maxFiles).WithCode("too-long")
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, h.readFault(err)
		}
		files = append(files, ingest.File{Name: part.FileName(), Bytes: text})
	}
}

// nameOf is the name of a body without one, by what its sender calls it: so a message
// or document that cannot be known by its bytes – too broken, or in UTF-16 – is still
// taken for what it is. Tables need a name of their own.
func nameOf(media string) string {
	switch {
	case isHL7(media):
		return "message.hl7"
	case media == "application/xml", media == "text/xml", strings.HasSuffix(media, "+xml"):
		return "document.xml"
	case media == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return "workbook.xlsx"
	}
	return ""
}

// maxFiles bounds the files of one delivery.
const maxFiles = 1000

func (h *Handler) readFault(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.Newf(fault.TooCostly, "the delivery is over %d bytes", h.Delivery).WithCode("too-long")
	}
	return fault.Wrap(fault.Invalid, err, "the body could not be read")
}
