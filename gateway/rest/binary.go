package rest

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// A Binary is served as its content, in the type of the content, unless FHIR's own
// format is asked for by name; and it is taken the same way: whatever is sent is the
// content, unless it is a Binary as FHIR JSON or XML.
//
// https://hl7.org/fhir/R4/binary.html

// binaryType is the resource type of this file.
const binaryType = "Binary"

// securityContext is the header that stands for the element of that name.
const securityContext = "X-Security-Context"

// binary wraps a handler of Binaries: any type may be asked for. What goes wrong is
// told in JSON.
func (h *Handler) binary(fn func(*request) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		f, _ := h.negotiate(c.Request())
		r := &request{Context: c, ctx: c.Request().Context(), format: f}
		defer h.leave(r)
		h.admit(r)
		viewer, err := h.who(c.Request())
		if err == nil {
			r.viewer = viewer
			err = fn(r)
		}
		if err != nil {
			return h.fail(r, err)
		}
		return nil
	}
}

// ofBinary chooses the handler of Binaries for those.
func ofBinary(binary, other echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Param("type") == binaryType {
			return binary(c)
		}
		return other(c)
	}
}

// readBinary answers GET Binary/[id].
func (h *Handler) readBinary(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	v, err := h.Engine.Read(r.ctx, r.viewer, key)
	if err != nil {
		return err
	}
	return h.sendBinary(r, v)
}

// vreadBinary answers GET Binary/[id]/_history/[version].
func (h *Handler) vreadBinary(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	number, err := versionOf(r.Param("version"))
	if err != nil {
		return err
	}
	v, err := h.Engine.ReadVersion(r.ctx, r.viewer, key, number)
	if err != nil {
		return err
	}
	return h.sendBinary(r, v)
}

// sendBinary answers a read in the form that is asked for.
func (h *Handler) sendBinary(r *request, v store.Version) error {
	elements, err := fhir.Parse(v.Body, fhir.Limits{})
	if err != nil {
		return fmt.Errorf("read a stored Binary: %w", err)
	}
	wanted, err := binaryForm(r.Request(), elements.Get("contentType").Text())
	if err != nil {
		return err
	}
	r.Response().Header().Add("Vary", "Accept")
	if wanted != noForm {
		r.format.xml = wanted == asXML
		if r.unmodified(v) {
			return r.notModified(v)
		}
		return h.sendResource(r, http.StatusOK, v)
	}
	header := r.Response().Header()
	header.Set("ETag", etag(v.Number))
	header.Set("Content-Type", servedType(elements.Get("contentType").Text()))
	if about := elements.Path("securityContext", "reference").Text(); about != "" {
		header.Set(securityContext, about)
	}
	// Content comes from anywhere: a browser shows none of it as a page of ours.
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Content-Disposition", "attachment")
	http.ServeContent(r.Response(), r.Request(), "", v.Updated, h.content(r, v))
	return nil
}

// content reads a Binary's content for as long as the client takes it: a slow line is
// no reason to end in the middle, and a client that leaves ends the writing.
func (h *Handler) content(r *request, v store.Version) *interaction.Content {
	return h.Engine.Content(context.WithoutCancel(r.ctx), v)
}

// sendResource sends a Binary in the form of FHIR that is asked for, its content piece
// by piece.
func (h *Handler) sendResource(r *request, status int, v store.Version) error {
	media := contentType
	body, cut := v.Body, interaction.DataPlace
	if r.format.xml {
		out, err := xmlOf(body)
		if err != nil {
			return err
		}
		body, media, cut = out, xmlContentType, xmlDataPlace
	} else if r.format.pretty {
		if tree, err := fhir.Parse(body, fhir.Limits{}); err == nil {
			body = append(tree.AppendIndent(nil), '\n')
		}
	}
	content := h.content(r, v)
	head, tail := body, []byte(nil)
	length := int64(len(body))
	if content.Size() > 0 {
		head, tail = cut(body)
		length = int64(len(head)) + (content.Size()+2)/3*4 + int64(len(tail))
	}
	header := r.Response().Header()
	header.Set("ETag", etag(v.Number))
	header.Set("Last-Modified", v.Updated.UTC().Format(http.TimeFormat))
	header.Set("Content-Type", media)
	header.Set("Content-Length", strconv.FormatInt(length, 10))
	r.Response().WriteHeader(status)
	if r.Request().Method == http.MethodHead {
		return nil
	}
	return writeAround(r.Response(), head, content, tail)
}

// xmlDataPlace cuts the XML of a Binary where its data goes, which is its last element.
func xmlDataPlace(body []byte) (head, tail []byte) {
	const end = "</" + binaryType + ">"
	inner := bytes.TrimSuffix(bytes.TrimSpace(body), []byte(end))
	return append(inner[:len(inner):len(inner)], `<data value="`...), []byte(`"/>` + end)
}

// writeAround writes content in base64 between head and tail. An error comes too late
// for an answer: the connection ends before what Content-Length promised.
func writeAround(w io.Writer, head []byte, content io.Reader, tail []byte) error {
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("send a Binary: %w", err)
	}
	if tail == nil {
		return nil
	}
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := io.Copy(encoder, content); err != nil {
		return fmt.Errorf("send a Binary: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return fmt.Errorf("send a Binary: %w", err)
	}
	if _, err := w.Write(tail); err != nil {
		return fmt.Errorf("send a Binary: %w", err)
	}
	return nil
}

// sent is what a client writes as a Binary.
type sent struct {
	resource *fhir.Node // all of it as FHIR has it, or the elements beside data
	data     []byte
	raw      bool // data is the body as it came
}

// binaryBody reads the request's body.
func (h *Handler) binaryBody(r *request) (sent, error) {
	text, err := h.body(r)
	if err != nil {
		return sent{}, err
	}
	typ := strings.Join(strings.Fields(r.Request().Header.Get("Content-Type")), " ")
	if media, _, _ := mediaType(typ); media == XMLMediaType {
		tree, issues, err := h.parseXML(text)
		if err == nil && fhir.HasErrors(issues) {
			err = invalidXML(issues)
		}
		if err != nil || tree.ResourceType() == binaryType {
			return sent{resource: tree}, err
		}
	}
	if typ == "" || isJSON(typ) {
		tree, err := h.parse(text)
		switch {
		case err == nil && tree.ResourceType() == binaryType:
			return sent{resource: tree}, nil
		case err != nil && typ != "":
			return sent{}, err // neither a Binary nor JSON of anything else
		}
	}
	if typ == "" {
		typ = "application/octet-stream"
	}
	if !isMedia(typ) {
		return sent{}, &httpError{status: http.StatusUnsupportedMediaType,
			error: fault.New(fault.Unsupported, "Content-Type is not a media type")}
	}
	elements := fhir.NewObject().SetString("resourceType", binaryType).SetString("contentType", typ)
	if about := r.Request().Header.Get(securityContext); about != "" {
		about = strings.TrimPrefix(about, h.base()+"/")
		elements.Set("securityContext", fhir.NewObject().SetString("reference", about))
	}
	return sent{resource: elements, data: text, raw: true}, nil
}

// createBinary answers POST Binary.
func (h *Handler) createBinary(r *request) error {
	s, err := h.binaryBody(r)
	if err != nil {
		return err
	}
	criteria, err := r.ifNoneExist()
	if err != nil {
		return err
	}
	var w interaction.Written
	switch {
	case s.raw:
		w, err = h.Engine.CreateBinary(r.ctx, r.viewer, s.resource, s.data, criteria)
	case criteria != nil:
		w, err = h.Engine.CreateIf(r.ctx, r.viewer, binaryType, s.resource, criteria)
	default:
		w, err = h.Engine.Create(r.ctx, r.viewer, binaryType, s.resource)
	}
	if err != nil {
		return err
	}
	return h.binaryWritten(r, w, s.raw)
}

// updateBinary answers PUT Binary/[id].
func (h *Handler) updateBinary(r *request) error {
	key, err := h.key(r)
	if err != nil {
		return err
	}
	match, err := r.ifMatch()
	if err != nil {
		return err
	}
	s, err := h.binaryBody(r)
	if err != nil {
		return err
	}
	var w interaction.Written
	if s.raw {
		s.resource.SetString("id", key.ID)
		w, err = h.Engine.UpdateBinary(r.ctx, r.viewer, key, s.resource, s.data, match...)
	} else {
		w, err = h.Engine.Update(r.ctx, r.viewer, key, s.resource, match...)
	}
	if err != nil {
		return notCreated(err)
	}
	return h.binaryWritten(r, w, s.raw)
}

// binaryWritten answers a write: with the resource when it came as one or is asked
// for as one, else without a body. Content is not sent back.
func (h *Handler) binaryWritten(r *request, w interaction.Written, raw bool) error {
	prefer := r.prefer()
	wanted, _ := binaryForm(r.Request(), "")
	if prefer == returnRepresentation || prefer == "" && (!raw || wanted != noForm) {
		r.format.xml = wanted == asXML
		return h.sendResource(r, h.head(r, w), w.Version)
	}
	if prefer == "" {
		return r.NoContent(h.head(r, w))
	}
	return h.written(r, w)
}
