package rest

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
)

// reindexPath is where how far jobs of $reindex are can be read.
const reindexPath = "/$reindex"

// reindexing answers [base]/$reindex: how far jobs are, or one of them.
func (h *Handler) reindexing(r *request) error {
	jobs, err := h.Engine.Reindexings(r.ctx, r.viewer)
	if err != nil {
		return err
	}
	id := r.QueryParam("job")
	if id == "" {
		return r.write(http.StatusOK, h.Engine.Progress(jobs).AppendJSON(nil))
	}
	i := slices.IndexFunc(jobs, func(j *interaction.Reindexing) bool { return j.ID == id })
	if i < 0 {
		return fault.New(fault.NotFound, "no such job")
	}
	return r.write(http.StatusOK, interaction.JobProgress(jobs[i]).AppendJSON(nil))
}

// accepted answers with a job that goes on, and where to read how far it is.
func (h *Handler) accepted(r *request, job string, resource *fhir.Node) error {
	r.Response().Header().Set("Content-Location", h.base()+reindexPath+"?job="+url.QueryEscape(job))
	return r.write(http.StatusAccepted, resource.AppendJSON(nil))
}
