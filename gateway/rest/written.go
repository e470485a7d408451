package rest

import (
	"net/http"
	"strconv"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// statusOf is the status that says what became of a write.
func statusOf(w interaction.Written) int {
	switch w.Effect {
	case interaction.Created:
		return http.StatusCreated
	case interaction.Removed:
		return http.StatusNoContent
	}
	return http.StatusOK
}

// head sets the headers of a write's answer and returns its status.
func (h *Handler) head(r *request, w interaction.Written) int {
	header, status := r.Response().Header(), statusOf(w)
	if w.Number > 0 {
		header.Set("ETag", etag(w.Number))
	}
	switch {
	case status == http.StatusNoContent:
		return status
	case status == http.StatusCreated, r.Request().Method == http.MethodPost:
		header.Set("Location", h.versionURL(w.Version))
	default:
		header.Set("Content-Location", h.versionURL(w.Version))
	}
	header.Set("Last-Modified", w.Updated.UTC().Format(http.TimeFormat))
	return status
}

// written answers a write as Prefer asks: with the resource, which is what who does
// not ask gets, with an OperationOutcome, or without a body.
func (h *Handler) written(r *request, w interaction.Written) error {
	status := h.head(r, w)
	prefer := r.prefer()
	if w.Effect != interaction.Removed || prefer != returnRepresentation {
		r.applied("return", prefer)
	}
	switch {
	case prefer == returnOutcome:
		if status == http.StatusNoContent {
			status = http.StatusOK
		}
		return r.write(status, r.outcome(remarks(w)))
	case prefer == returnMinimal, w.Effect == interaction.Removed:
		return r.NoContent(status)
	}
	return r.resourceResponse(status, w.Version)
}

// remarks are the issues of an OperationOutcome about a write that was carried out.
func remarks(w interaction.Written) []fhir.Issue {
	if len(w.Issues) > 0 {
		return w.Issues
	}
	text := map[interaction.Effect]string{
		interaction.Unchanged: "nothing had to be changed", interaction.Created: "the resource was created",
		interaction.Changed: "the resource was changed", interaction.Removed: "the resource is deleted",
	}[w.Effect]
	return []fhir.Issue{{Severity: fhir.Information, Code: fhir.TypeInformational, Text: text}}
}

// versionURL is the address of one version.
func (h *Handler) versionURL(v store.Version) string {
	return h.base() + "/" + v.Key.String() + "/_history/" + strconv.FormatInt(v.Number, 10)
}
