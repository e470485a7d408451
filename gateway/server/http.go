package server

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/yilian/yilian/gateway/console"
	"github.com/yilian/yilian/gateway/rest"
	"github.com/yilian/yilian/gateway/source/upload"
)

const fhirPath = "/fhir"

// router is the HTTP side of the process.
func (p *process) router() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.Use(middleware.RequestIDWithConfig(middleware.RequestIDConfig{TargetHeader: echo.HeaderXRequestID}))
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableErrorHandler: false,
		LogErrorFunc: func(c echo.Context, err error, _ []byte) error {
			return errors.Join(errors.New("a handler panicked"), err)
		},
	}))
	e.Use(onlyHere(p.config.Origins))
	e.Use(p.limitRate())
	e.Use(p.limitTime())
	e.Use(p.patience())

	fhir := rest.New(rest.Config{
		Engine: p.engine, Auth: trusting{}, Log: p.log, Path: fhirPath, Origins: p.config.Origins,
		Body: p.config.Limits.Body, Bodies: p.config.Limits.Bodies, Depth: p.config.Limits.Depth,
	})
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = fhir.Fail(c, err) }
	fhir.Register(e)
	upload.New(upload.Config{
		Inbox: p.ingest, Auth: trusting{}, Delivery: p.config.Limits.Delivery, Fail: fhir.Fail,
	}).Register(e)

	console.New(console.Config{
		Inbox: p.store, Ingest: p.ingest, Members: p.members, Folders: p.store, Limits: p.members.limits,
		Auth: trusting{}, Fail: fhir.Fail,
	}).Register(e)

	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(c echo.Context) error {
		if !p.ready.Load() {
			return c.String(http.StatusServiceUnavailable, "starting\n")
		}
		return c.String(http.StatusOK, "ready\n"+p.members.waitingLines())
	})
	e.GET("/metrics", echo.WrapHandler(promhttp.Handler()))
	return e
}
