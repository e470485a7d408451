package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// ReplayRequest names what to run again: records, or the quarantined ones of an
// institution behind a sequence number. It is PageLimit records at most.
type ReplayRequest struct {
	IDs         []string `json:"ids,omitempty"`
	Institution string   `json:"institution,omitempty"`
	After       int64    `json:"after,omitempty"`
}

// ReplayAnswer says which records were put back into line; others that were named
// are not quarantined. Next is where an institution has more of them, 0 for no more.
type ReplayAnswer struct {
	Replayed int      `json:"replayed"`
	IDs      []string `json:"ids"`
	Next     int64    `json:"next,omitempty"`
}

// maxJSON bounds a body of JSON.
const maxJSON = 1 << 20

func (h *Handler) replay(c echo.Context, v interaction.Viewer) error {
	asked, err := readReplay(http.MaxBytesReader(c.Response(), c.Request().Body, maxJSON))
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var list []store.Record
	var answer ReplayAnswer
	switch {
	case len(asked.IDs) > 0:
		list, err = h.quarantined(ctx, v, asked.IDs)
	case !v.Everything && asked.Institution != v.Institution:
		return fault.New(fault.Forbidden, "the client replays the records of its own institution")
	default:
		list, err = h.Inbox.Records(ctx, store.RecordFilter{
			Institution: asked.Institution, State: store.Quarantined, After: asked.After, Limit: PageLimit,
		})
		if len(list) == PageLimit {
			answer.Next = list[len(list)-1].Sequence
		}
	}
	if err != nil {
		return err
	}
	answer.IDs = make([]string, len(list))
	for i, r := range list {
		answer.IDs[i] = r.ID
	}
	if answer.Replayed, err = h.Inbox.Replay(ctx, answer.IDs); err != nil {
		return err
	}
	h.Ingest.Poke()
	return c.JSON(http.StatusOK, answer)
}

func readReplay(body io.Reader) (asked ReplayRequest, err error) {
	err = readJSON(body, &asked, "a replay")
	switch {
	case err != nil:
		return asked, err
	case (len(asked.IDs) > 0) == (asked.Institution != ""):
		return asked, fault.New(fault.Invalid, "name either records or an institution")
	case len(asked.IDs) > PageLimit:
		return asked, fault.Newf(fault.TooCostly, "more than %d records at once", PageLimit).WithCode("too-long")
	case asked.After < 0:
		return asked, fault.New(fault.Invalid, "after is not a sequence number")
	}
	return asked, nil
}

// readJSON reads a body of at most maxJSON bytes.
func readJSON(body io.Reader, asked any, what string) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(asked)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("bytes behind the object")
		}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fault.Newf(fault.TooCostly, "the body is over %d bytes", maxJSON).WithCode("too-long")
	case err != nil:
		return fault.Wrap(fault.Invalid, err, "the body is not the JSON of "+what)
	}
	return nil
}

// quarantined returns those of the named records that are, in the order in which
// they came: what came later must not be put before it.
func (h *Handler) quarantined(ctx context.Context, v interaction.Viewer, ids []string) (list []store.Record, err error) {
	for _, id := range ids {
		r, err := h.record(ctx, v, id)
		if err != nil {
			return nil, err
		}
		if r.State == store.Quarantined {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b store.Record) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return slices.CompactFunc(list, func(a, b store.Record) bool { return a.ID == b.ID }), nil
}
