package console

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/store"
)

// Member is one institution, as the console shows it.
type Member struct {
	ID      string                    `json:"id"`
	Name    string                    `json:"name"`
	Version string                    `json:"version"`          // of its folder
	From    string                    `json:"from"`             // FromFolder, FromDemo or FromStore
	Number  int64                     `json:"number,omitempty"` // of its folder, when it was pushed
	Maps    []string                  `json:"maps"`
	Records map[store.RecordState]int `json:"records"`
	// Findings are why its folder does not load; its records wait until one does.
	Findings []Finding `json:"findings,omitempty"`
	// Running are its maps as a Provenance names them.
	Running []string `json:"-"`
}

// Where the folder of an institution comes from.
const (
	FromFolder = "folder" // on disk
	FromDemo   = "demo"
	FromStore  = "store" // it was pushed
)

func (h *Handler) institutions(c echo.Context, v interaction.Viewer) error {
	list := []Member{}
	for _, m := range h.Members.List() {
		if !v.Everything && m.ID != v.Institution {
			continue
		}
		counts, err := h.Inbox.CountRecords(c.Request().Context(), m.ID)
		if err != nil {
			return err
		}
		m.Records = counts
		list = append(list, m)
	}
	return c.JSON(http.StatusOK, list)
}

// ReloadAnswer says whether the folders were loaded; if not, why.
type ReloadAnswer struct {
	Loaded   bool     `json:"loaded"`
	Findings []string `json:"findings"`
}

func (h *Handler) reload(c echo.Context, v interaction.Viewer) error {
	if !v.Everything {
		return fault.New(fault.Forbidden, "reloading the folders is for the whole alliance")
	}
	findings, err := h.Members.Reload(c.Request().Context())
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return c.JSON(http.StatusUnprocessableEntity, ReloadAnswer{Findings: findings})
	}
	return c.JSON(http.StatusOK, ReloadAnswer{Loaded: true, Findings: []string{}})
}
