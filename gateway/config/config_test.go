package config_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/yilian/yilian/gateway/config"
)

func TestDefaults(t *testing.T) {
	c, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Setting{
		{Key: "listen", Value: "127.0.0.1:8080"},
		{Key: "data", Value: "yilian-data"},
		{Key: "auth", Value: "none"},
		{Key: "institutions", Value: ""},
		{Key: "timezone", Value: "+08:00"},
		{Key: "store.url", Value: ""},
		{Key: "redis.url", Value: ""},
		{Key: "redis.timeout", Value: "50ms"},
		{Key: "redis.expire", Value: "10m"},
		{Key: "alliance.base", Value: "https://yilian.dev"},
		{Key: "log.level", Value: "info"},
		{Key: "log.format", Value: "text"},
		{Key: "fhir.base", Value: ""},
		{Key: "fhir.update-as-create", Value: "off"},
		{Key: "fhir.conditional-delete", Value: "single"},
		{Key: "fhir.profiles", Value: "record"},
		{Key: "fhir.expunge", Value: "off"},
		{Key: "search.content", Value: "on"},
		{Key: "search.conditions", Value: "50"},
		{Key: "search.values", Value: "1000"},
		{Key: "search.value", Value: "16KiB"},
		{Key: "search.chain", Value: "3"},
		{Key: "search.sort", Value: "4"},
		{Key: "search.includes", Value: "20"},
		{Key: "search.filter", Value: "100"},
		{Key: "search.codes", Value: "1000"},
		{Key: "search.hierarchy", Value: "1000"},
		{Key: "search.included", Value: "2000"},
		{Key: "search.iterations", Value: "5"},
		{Key: "search.operands", Value: "2000"},
		{Key: "search.lastn", Value: "10000"},
		{Key: "browser.origins", Value: ""},
		{Key: "limits.record", Value: "16MiB"},
		{Key: "limits.delivery", Value: "256MiB"},
		{Key: "limits.workbook", Value: "96MiB"},
		{Key: "limits.body", Value: "64MiB"},
		{Key: "limits.bodies", Value: "64MiB"},
		{Key: "limits.depth", Value: "100"},
		{Key: "limits.page", Value: "1000"},
		{Key: "limits.count", Value: "50"},
		{Key: "limits.entries", Value: "10000"},
		{Key: "limits.deletes", Value: "100"},
		{Key: "limits.parameters", Value: "200"},
		{Key: "limits.expunged", Value: "1000"},
		{Key: "limits.inline", Value: "1KiB"},
		{Key: "limits.attached", Value: "4MiB"},
		{Key: "limits.folder", Value: "32MiB"},
		{Key: "limits.time", Value: "30s"},
		{Key: "limits.stall", Value: "30s"},
		{Key: "limits.rate", Value: "0"},
		{Key: "limits.drain", Value: "10s"},
		{Key: "limits.cache", Value: "32MiB"},
		{Key: "limits.headroom", Value: "64MiB"},
		{Key: "limits.lease", Value: "1m"},
	}
	for i := range want {
		want[i].Origin = "default"
	}
	if diff := cmp.Diff(want, c.Settings()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, offset := time.Date(2024, 1, 1, 0, 0, 0, 0, c.Zone).Zone(); offset != 8*3600 {
		t.Errorf("the default zone is %d s east, want 28800", offset)
	}
	if c.Limits.Record != 16<<20 || c.Limits.Time != 30*time.Second {
		t.Errorf("limits are %+v", c.Limits)
	}
}

func TestGoodFileSetsEveryKey(t *testing.T) {
	file := filepath.Join("testdata", "good.yaml")
	c, err := config.Load(config.Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	if c.Zone.String() != shanghai.String() {
		t.Errorf("zone %s", c.Zone)
	}
	if c.LogLevel != slog.LevelDebug {
		t.Errorf("log level %s", c.LogLevel)
	}
	if want := "postgres://yilian:secret@db.example.org/yilian?sslmode=verify-full"; c.StoreURL != want {
		t.Errorf("store URL %s, want %s", c.StoreURL, want)
	}
	wantLimits := config.Limits{Record: 8 << 20, Delivery: 1e9, Body: 32 << 20, Bodies: 128 << 20, Depth: 64, Page: 200, Count: 20, Entries: 500, Deletes: 20, Parameters: 50, Expunged: 30, Inline: 4 << 10, Attached: 1 << 20, Folder: 8 << 20, Workbook: 32 << 20, Time: 90 * time.Second,
		Stall: 45 * time.Second, Rate: 600, Drain: 25 * time.Second, Cache: 64 << 20, Headroom: 32 << 20, Lease: 20 * time.Second}
	if diff := cmp.Diff(wantLimits, c.Limits); diff != "" {
		t.Errorf("limits (-want +got)\n%s", diff)
	}
	wantSearch := config.Search{Conditions: 40, Values: 500, Value: 8 << 10, Chain: 2, Sort: 2, Includes: 10, Filter: 50, Codes: 400, Hierarchy: 300,
		Included: 800, Iterations: 3, Operands: 1500, LastN: 5000}
	if diff := cmp.Diff(wantSearch, c.Search); diff != "" {
		t.Errorf("search (-want +got)\n%s", diff)
	}
	if want := "https://fhir.example.org/r4"; c.FHIR.Base != want {
		t.Errorf("base %s, want %s", c.FHIR.Base, want)
	}
	if p := c.FHIR.Profiles; p.For("city") != "refuse" || p.For("lab") != "record" || p.For("county") != "ignore" {
		t.Errorf("profiles %+v", p)
	}
	want := []config.Setting{
		{"listen", "[::1]:9090", "2:9"},
		{"data", "testdata/data", "3:7"},
		{"auth", "none", "4:7"},
		{"institutions", "institutions", "5:15"},
		{"timezone", "Asia/Shanghai", "6:11"},
		{"store.url", "postgres://yilian:xxxxx@db.example.org/yilian?sslmode=verify-full", "8:8"},
		{"redis.url", "rediss://:xxxxx@cache.example.org:6380/2", "10:8"},
		{"redis.timeout", "20ms", "11:12"},
		{"redis.expire", "1h", "12:11"},
		{"alliance.base", "https://fhir.example.org/alliance", "14:9"},
		{"log.level", "debug", "16:10"},
		{"log.format", "json", "17:11"},
		{"fhir.base", "https://fhir.example.org/r4", "19:9"},
		{"fhir.update-as-create", "on", "20:21"},
		{"fhir.conditional-delete", "multiple", "21:23"},
		{"fhir.profiles", "ignore, city=refuse, lab=record", "22:13"},
		{"fhir.expunge", "on", "23:12"},
		{"search.content", "off", "25:12"},
		{"search.conditions", "40", "26:15"},
		{"search.values", "500", "27:11"},
		{"search.value", "8KiB", "28:10"},
		{"search.chain", "2", "29:10"},
		{"search.sort", "2", "30:9"},
		{"search.includes", "10", "31:13"},
		{"search.filter", "50", "32:11"},
		{"search.codes", "400", "33:10"},
		{"search.hierarchy", "300", "34:14"},
		{"search.included", "800", "35:13"},
		{"search.iterations", "3", "36:15"},
		{"search.operands", "1500", "37:13"},
		{"search.lastn", "5000", "38:10"},
		{"browser.origins", "http://localhost:3000, https://app.example.org", "63:12"},
		{"limits.record", "8MiB", "40:11"},
		{"limits.delivery", "1GB", "41:13"},
		{"limits.workbook", "32MiB", "42:13"},
		{"limits.body", "32MiB", "43:9"},
		{"limits.bodies", "128MiB", "44:11"},
		{"limits.depth", "64", "45:10"},
		{"limits.page", "200", "46:9"},
		{"limits.count", "20", "47:10"},
		{"limits.entries", "500", "48:12"},
		{"limits.deletes", "20", "49:12"},
		{"limits.parameters", "50", "50:15"},
		{"limits.expunged", "30", "51:13"},
		{"limits.inline", "4KiB", "52:11"},
		{"limits.attached", "1MiB", "53:13"},
		{"limits.folder", "8MiB", "54:11"},
		{"limits.time", "1m30s", "55:9"},
		{"limits.stall", "45s", "56:10"},
		{"limits.rate", "600", "57:9"},
		{"limits.drain", "25s", "58:10"},
		{"limits.cache", "64MiB", "59:10"},
		{"limits.headroom", "32MiB", "60:13"},
		{"limits.lease", "20s", "61:10"},
	}
	for i := range want {
		want[i].Origin = file + ":" + want[i].Origin
	}
	if diff := cmp.Diff(want, c.Settings()); diff != "" {
		t.Errorf("settings (-want +got)\n%s", diff)
	}
}

func TestBadFilesAreRefusedWithTheirPlace(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "bad.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	blamed := map[string]bool{}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		in, want := archive.Files[i], archive.Files[i+1]
		if want.Name != "want" {
			t.Fatalf("%s is not followed by want", in.Name)
		}
		t.Run(in.Name, func(t *testing.T) {
			file := write(t, string(in.Data))
			_, err := config.Load(config.Sources{File: file})
			if err == nil {
				t.Fatal("was accepted")
			}
			got := strings.ReplaceAll(err.Error(), file, "yilian.yaml") + "\n"
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if strings.Contains(got, "secret") {
				t.Error("the message tells a password")
			}
			var problems config.Problems
			if errors.As(err, &problems) {
				for _, p := range problems {
					blamed[p.Key] = true
				}
			}
		})
	}
	c, err := config.Load(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Settings() {
		if !blamed[s.Key] {
			t.Errorf("no bad file for %s", s.Key)
		}
	}
}

func TestPrecedence(t *testing.T) {
	file := write(t, "auth: none\nlisten: 127.0.0.1:1\nstore:\n  url: postgres://file/x\n")
	env := func(name string) string { return map[string]string{"YILIAN_STORE_URL": "postgres://env/x"}[name] }
	tests := []struct {
		name               string
		from               config.Sources
		key, value, origin string
	}{
		{"file over default", config.Sources{File: file}, "listen", "127.0.0.1:1", file + ":2:9"},
		{"flag over file", config.Sources{File: file, Flags: map[string]string{"listen": "127.0.0.1:2"}},
			"listen", "127.0.0.1:2", "--listen"},
		{"a flag that was not given changes nothing", config.Sources{File: file, Flags: map[string]string{"listen": ""}},
			"listen", "127.0.0.1:1", file + ":2:9"},
		{"environment over file", config.Sources{File: file, Env: env}, "store.url", "postgres://env/x", "YILIAN_STORE_URL"},
		{"an empty variable is unset", config.Sources{File: file, Env: func(string) string { return "" }},
			"store.url", "postgres://file/x", file + ":4:8"},
		{"a flag's folder is relative to the working folder", config.Sources{File: file, Flags: map[string]string{"data": "d"}},
			"data", "d", "--data"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.Load(tt.from)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range c.Settings() {
				if s.Key == tt.key {
					if diff := cmp.Diff(config.Setting{Key: tt.key, Value: tt.value, Origin: tt.origin}, s); diff != "" {
						t.Errorf("(-want +got)\n%s", diff)
					}
				}
			}
		})
	}
}

func TestProblemsNameTheFlagOrVariable(t *testing.T) {
	tests := []struct {
		name string
		from config.Sources
		want string
	}{
		{"flag", config.Sources{Flags: map[string]string{"listen": "8080"}},
			`--listen: listen: "8080" is not an address, expected host:port such as 127.0.0.1:8080`},
		{"a flag that opens the server", config.Sources{Flags: map[string]string{"listen": "192.0.2.1:8080"}},
			"--listen: listen: 192.0.2.1:8080 can be reached from other machines, and auth: none trusts everybody; " +
				"expected a loopback address such as 127.0.0.1:8080"},
		{"variable", config.Sources{Env: func(name string) string {
			return map[string]string{"YILIAN_AUTH": "smart"}[name]
		}}, `YILIAN_AUTH: auth: "smart" is not known, expected none`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Load(tt.from)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestLoopback(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:8080": true, "127.8.9.1:0": true, "[::1]:80": true, "localhost:80": true, "[::ffff:127.0.0.1]:80": true,
		"0.0.0.0:80": false, "[::]:80": false, ":80": false, "192.0.2.1:80": false, "localhost.example.org:80": false,
		"example.org:80": false,
	} {
		_, err := config.Load(config.Sources{Flags: map[string]string{"listen": listen}})
		if (err == nil) != want {
			t.Errorf("%s without access control: %v", listen, err)
		}
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	_, err := config.Load(config.Sources{File: filepath.Join(t.TempDir(), "absent.yaml")})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	file := write(t, strings.Repeat("#", 1<<20+1))
	if _, err := config.Load(config.Sources{File: file}); err == nil ||
		err.Error() != file+": is 1048577 bytes long, more than 1048576" {
		t.Errorf("a file over the limit: %v", err)
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	c, err := config.Load(config.Sources{Env: func(name string) string {
		return map[string]string{
			"YILIAN_STORE_URL": "postgres://u:secret@h/d?sslpassword=secret&sslmode=require",
			"YILIAN_REDIS_URL": "redis://:secret@h",
		}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Settings() {
		if strings.Contains(s.Value, "secret") {
			t.Errorf("%s shows %s", s.Key, s.Value)
		}
	}
}

func FuzzLoad(f *testing.F) {
	good, err := os.ReadFile(filepath.Join("testdata", "good.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	archive, err := txtar.ParseFile(filepath.Join("testdata", "bad.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		f.Add(string(file.Data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Load(config.Sources{File: write(t, text)})
		if (c == nil) == (err == nil) {
			t.Errorf("configuration %v and error %v", c, err)
		}
		if c != nil {
			c.Settings()
		}
	})
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "yilian.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
