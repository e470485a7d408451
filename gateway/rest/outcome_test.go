package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/fhir"
	"github.com/yilian/yilian/conformance/validate"
)

func TestOutcomesAreInTheLanguageOfTheClient(t *testing.T) {
	c := newClient(t)
	const observation = `{"resourceType":"Observation","code":{"text":"x"}}`
	for _, tt := range []struct{ accept, language, text, display string }{
		{"", "en", "Observation.status is required but missing", "Required element missing"},
		{"en-GB", "en", "Observation.status is required but missing", "Required element missing"},
		{"zh", "zh-CN", "缺少必填元素 Observation.status", "缺少必填元素"},
		{"zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "缺少必填元素 Observation.status", "缺少必填元素"},
		{"en;q=0.5, zh-Hant-TW;q=0.6", "zh-CN", "缺少必填元素 Observation.status", "缺少必填元素"},
		{"zh;q=0.1, en", "en", "Observation.status is required but missing", "Required element missing"},
		{"zh;q=0, en;q=0.1", "en", "Observation.status is required but missing", "Required element missing"},
		{"fr, de;q=0.5", "en", "Observation.status is required but missing", "Required element missing"},
		{"fr, zh;q=0.5", "zh-CN", "缺少必填元素 Observation.status", "缺少必填元素"},
		{"*", "en", "Observation.status is required but missing", "Required element missing"},
		{";;,%", "en", "Observation.status is required but missing", "Required element missing"},
		{strings.Repeat("zh,", 200), "en", "Observation.status is required but missing", "Required element missing"},
	} {
		got := c.do(http.MethodPost, "/fhir/Observation", observation, "Accept-Language: "+tt.accept)
		if got.Code != http.StatusUnprocessableEntity {
			t.Fatalf("%.40q: status %d", tt.accept, got.Code)
		}
		issue := got.tree.Path("issue").At(0)
		details := issue.Get("details")
		if text := details.Get("text").Text(); text != tt.text || !strings.Contains(issue.Get("diagnostics").Text(), tt.text) {
			t.Errorf("%.40q: %q, diagnostics %q", tt.accept, text, issue.Get("diagnostics").Text())
		}
		if coding := details.Get("coding").At(0); coding.Get("code").Text() != "required" || coding.Get("display").Text() != tt.display {
			t.Errorf("%.40q: the code is named %q", tt.accept, coding.Get("display").Text())
		}
		if header := got.Header().Get("Content-Language"); header != tt.language || got.tree.Get("language").Text() != tt.language {
			t.Errorf("%.40q: language %q and %q", tt.accept, header, got.tree.Get("language").Text())
		}
		if wrong := validate.New(definitions.R4(), validate.Options{}).Resource(got.tree); fhir.HasErrors(wrong) {
			t.Errorf("%.40q: %v", tt.accept, wrong)
		}
	}
}

// TestCodesOfFaultsAreNamed asks for what has no translated text: the code says what it is.
func TestCodesOfFaultsAreNamed(t *testing.T) {
	got := newClient(t).do(http.MethodGet, "/fhir/Patient/none", "", "Accept-Language: zh")
	coding := got.tree.Path("issue").At(0).Path("details", "coding").At(0)
	if got.Code != http.StatusNotFound || coding.Get("display").Text() != "未找到" {
		t.Errorf("%d %s", got.Code, got.tree.AppendJSON(nil))
	}
}
