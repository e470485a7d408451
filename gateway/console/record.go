package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// Record is one record of the inbox, as the console shows it. Its issues never
// hold its data.
type Record struct {
	ID          string            `json:"id"`
	Sequence    int64             `json:"sequence"`
	Institution string            `json:"institution"`
	Source      string            `json:"source"`
	Format      string            `json:"format"`
	Type        string            `json:"type,omitempty"`
	File        string            `json:"file,omitempty"`
	Control     string            `json:"control,omitempty"`
	Parent      string            `json:"delivery,omitempty"`
	Offset      int64             `json:"offset"`
	Length      int64             `json:"length"`
	Place       string            `json:"place,omitempty"` // of a workbook's row: sheet!row; its bytes are the whole workbook's
	Digest      string            `json:"sha256"`
	Received    time.Time         `json:"received"`
	State       store.RecordState `json:"state"`
	Answer      string            `json:"answer,omitempty"`
	Map         string            `json:"map,omitempty"`
	Attempts    int               `json:"attempts,omitempty"`
	Finished    *time.Time        `json:"finished,omitempty"`
	Issues      []fhir.Issue      `json:"issues,omitempty"`
}

func recordOf(r store.Record) Record {
	out := Record{
		ID: r.ID, Sequence: r.Sequence, Institution: r.Institution, Source: r.Source, Format: r.Format, Type: r.Type,
		File: r.Name, Control: r.Control, Parent: r.Parent, Offset: r.Offset, Length: r.Length, Place: r.Place, Digest: r.Digest,
		Received: r.Received, State: r.State, Answer: r.Answer, Map: r.Map, Attempts: r.Attempts,
		Issues: interaction.Issues(r.Reason),
	}
	if !r.Finished.IsZero() {
		out.Finished = &r.Finished
	}
	return out
}

// PageLimit bounds one page of the list, and the records of one replay.
const PageLimit = 1000

func (h *Handler) list(c echo.Context, v interaction.Viewer) error {
	f := store.RecordFilter{
		Institution: c.QueryParam("institution"), State: store.RecordState(c.QueryParam("state")),
		Parent: c.QueryParam("delivery"), Limit: 100,
	}
	if !v.Everything {
		if f.Institution != "" && f.Institution != v.Institution {
			return fault.New(fault.Forbidden, "the client sees the records of its own institution")
		}
		if f.Institution = v.Institution; f.Institution == "" {
			return fault.New(fault.Forbidden, "the client belongs to no institution")
		}
	}
	if text := c.QueryParam("after"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return fault.New(fault.Invalid, "after is not a sequence number")
		}
		f.After = n
	}
	if text := c.QueryParam("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fault.New(fault.Invalid, "limit is not a positive number")
		}
		f.Limit = min(n, PageLimit)
	}
	records, err := h.Inbox.Records(c.Request().Context(), f)
	if err != nil {
		return err
	}
	list := make([]Record, len(records))
	for i, r := range records {
		list[i] = recordOf(r)
	}
	return c.JSON(http.StatusOK, list)
}

// record reads one record that the viewer may see. One that it may not see is
// answered exactly like none.
func (h *Handler) record(ctx context.Context, v interaction.Viewer, id string) (store.Record, error) {
	r, err := h.Inbox.Record(ctx, id)
	if fault.Is(err, fault.NotFound) || err == nil && !v.Everything && r.Institution != v.Institution {
		return store.Record{}, fault.New(fault.NotFound, "no such record")
	}
	return r, err
}

// waitLimit bounds ?wait=1.
const waitLimit = 20 * time.Second

// show answers a record as it is. With ?wait=1 it waits, bounded, for the work on
// it, or on all records of a delivery, to end: 200 when it has, 202 when not yet.
func (h *Handler) show(c echo.Context, v interaction.Viewer) error {
	ctx := c.Request().Context()
	r, err := h.record(ctx, v, c.Param("id"))
	if err != nil {
		return err
	}
	if c.QueryParam("wait") == "" {
		return c.JSON(http.StatusOK, recordOf(r))
	}
	bounded, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	_, err = h.Ingest.Wait(bounded, r.ID)
	if errors.Is(err, context.DeadlineExceeded) {
		return c.JSON(http.StatusAccepted, recordOf(r))
	}
	if err == nil {
		r, err = h.Inbox.Record(ctx, r.ID)
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, recordOf(r))
}

func (h *Handler) content(c echo.Context, v interaction.Viewer) error {
	ctx := c.Request().Context()
	r, err := h.record(ctx, v, c.Param("id"))
	if err != nil {
		return err
	}
	if r.State == store.Erased {
		return fault.New(fault.Gone, "the record was erased")
	}
	text, err := h.Inbox.Content(ctx, r.Digest, r.Offset, r.Length)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
	return c.Blob(http.StatusOK, echo.MIMEOctetStream, text)
}
