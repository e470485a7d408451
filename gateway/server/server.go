package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yilian/yilian/conformance/definitions"
	"github.com/yilian/yilian/conformance/ig"
	"github.com/yilian/yilian/conformance/validate"
	"github.com/yilian/yilian/gateway/codesystem"
	"github.com/yilian/yilian/gateway/config"
	"github.com/yilian/yilian/gateway/folder"
	"github.com/yilian/yilian/gateway/identity"
	"github.com/yilian/yilian/gateway/ingest"
	"github.com/yilian/yilian/gateway/interaction"
	"github.com/yilian/yilian/gateway/search"
	"github.com/yilian/yilian/gateway/store"
	"github.com/yilian/yilian/gateway/store/cached"
	"github.com/yilian/yilian/mapping"
	"github.com/yilian/yilian/mapping/base"
	"github.com/yilian/yilian/testdata"
)

// Options are what a server runs with.
type Options struct {
	Config  *config.Config
	Demo    bool // load the demo alliance
	Log     *slog.Logger
	Version string
	// Started is called with the address when requests are answered. Optional.
	Started func(address string)
	// Fault, when set, is called at the named points of a process's life: AfterPush, and
	// those of the store. It may end there, or wait. For tests.
	Fault func(point string)
}

// AfterPush is the point at which Options.Fault is called when a pushed folder is
// durable and nothing else happened yet.
const AfterPush = "after push"

// maxHeader bounds the headers of a request.
const maxHeader = 64 << 10

// Run serves until ctx ends. It returns nil after an end in order.
func Run(ctx context.Context, o Options) (err error) {
	p, err := open(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to end before there was anything to end
		}
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()

	listener, err := net.Listen("tcp", o.Config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	address := listener.Addr().String()
	file := filepath.Join(o.Config.Data, addressFile)
	if err := os.WriteFile(file, []byte(address+"\n"), 0o600); err != nil {
		return errors.Join(fmt.Errorf("write the address: %w", err), listener.Close())
	}
	defer os.Remove(file)

	p.address(address)
	http := &http.Server{
		Handler:           p.router(),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    maxHeader,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ignoreClosed(http.Serve(listener)) })
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Config.Limits.Drain)
		defer cancel()
		return p.shut(http.Shutdown(stop), http)
	})
	group.Go(func() error { return p.ingest.Run(ctx) })
	group.Go(func() error {
		if err := p.prepare(ctx, o); err != nil {
			return err
		}
		keepHeadroom(ctx, uint64(o.Config.Limits.Headroom))
		return nil
	})
	group.Go(func() error {
		p.engine.Run(ctx, func(err error) { o.Log.WarnContext(ctx, "work on search parameters and their index", "error", err) })
		return nil
	})
	if p.store.several {
		group.Go(func() error { return p.hear(ctx) })
		group.Go(func() error { return p.members.follow(ctx) })
	}
	if o.Started != nil {
		o.Started(address)
	}
	return group.Wait()
}

// shut cuts off the requests that did not end in time: their clients cannot tell what
// became of them, but those who wait for a store that is away must not hold up the end.
func (p *process) shut(err error, s *http.Server) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	p.log.Warn("requests did not end in time and were cut off", "after", p.config.Limits.Drain)
	return s.Close()
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// process is the parts of one running gateway.
type process struct {
	config  *config.Config
	log     *slog.Logger
	store   *node
	engine  *interaction.Engine
	ingest  *ingest.Ingest
	members *membership
	ready   atomic.Bool
}

// open puts the parts together around the data folder.
func open(ctx context.Context, o Options) (*process, error) {
	behind, _, _, err := openStore(ctx, o.Config, o.Log, o.Fault)
	if err != nil {
		return nil, err
	}
	s, err := share(ctx, o.Config, o.Log, behind)
	if err != nil {
		return nil, errors.Join(err, behind.Close())
	}
	p, err := assemble(ctx, o, s)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return p, nil
}

func assemble(ctx context.Context, o Options, s *node) (*process, error) {
	c := o.Config
	defs := definitions.R4()
	members := &membership{
		store: s, log: o.Log, fault: o.Fault,
		options: mapping.Options{Base: base.FS, Alliance: c.AllianceBase, Zone: c.Zone, Lazy: true},
		sources: func() ([]source, error) { return sources(c.Institutions, o.Demo) },
		limits:  folder.Limits{Bytes: c.Limits.Folder},
		trying:  make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
	}
	if err := members.load(ctx); err != nil {
		return nil, err
	}
	key, err := s.Secret(ctx, "cursor")
	if err != nil {
		return nil, err
	}
	fhirBase, bases := addresses(c, c.Listen)
	index := search.New(defs, search.Options{
		Bases: bases, Zone: c.Zone, NoContent: !c.Search.Content, Limits: searchLimits(c),
	})
	systems := identity.DefaultSystems(c.AllianceBase)
	systems.Canonical = index.System
	wrong := profileErrors()
	engine := interaction.New(interaction.Config{
		Store:     s,
		Index:     index,
		Validator: validate.New(defs, validate.Options{Thorough: true, NoBestPractice: true}),
		Profiles:  newGuided(defs),
		ProfilePolicy: func(institution string) interaction.ProfilePolicy {
			return interaction.ProfilePolicy(c.FHIR.Profiles.For(institution))
		},
		Stored:      func(institution string, n int) { wrong.WithLabelValues(institution).Add(float64(n)) },
		Definitions: defs,
		Identity:    identity.New(systems),
		Base:        c.AllianceBase,
		FHIRBase:    fhirBase,
		Key:         key,
		Limit: interaction.Limits{
			Page: pageCount(c), History: pageCount(c), MaxPage: c.Limits.Page, Inline: c.Limits.Inline, Attached: c.Limits.Attached,
			Included: c.Search.Included, Iterations: c.Search.Iterations, Hierarchy: c.Search.Hierarchy, LastN: c.Search.LastN,
			Entries: c.Limits.Entries, Deletes: c.Limits.Deletes, Parameters: c.Limits.Parameters, Expunged: c.Limits.Expunged,
		},
		UpdateCreates: c.FHIR.UpdateAsCreate,
		DeletesMany:   c.FHIR.DeletesMany,
		Expunges:      c.FHIR.Expunges,
		Expunged: func(ctx context.Context, k store.Key, client string) {
			o.Log.InfoContext(ctx, "expunged", "type", k.Type, "id", k.ID, "client", client)
		},
		Guide:    ig.Guide(),
		Imported: codesystem.Library{Store: s},
		Answers:  cached.Answers{Keys: s.keys, Cache: s.shared, Space: "terms"},
		Version:  o.Version,
		Security: "none; the server listens on a loopback address only",
	})
	index.SetTerminology(engine.Terminology())
	if err := engine.LoadParameters(ctx); err != nil {
		return nil, err
	}
	in := ingest.New(ingest.Config{
		Inbox: s, Writer: s, Engine: engine, Log: o.Log, Lease: c.Limits.Lease,
		Limits: ingest.Limits{Record: c.Limits.Record, Delivery: c.Limits.Delivery, Workbook: c.Limits.Workbook, Depth: c.Limits.Depth},
	})
	members.index, members.engine, members.ingest = index, engine, in
	members.change()
	return &process{config: c, log: o.Log, store: s, engine: engine, ingest: in, members: members}, nil
}

// searchLimits bounds what queries may ask for. How many values and words a resource is
// found by is no setting: another number would leave what is stored as it is, and not be
// true of it until all is indexed anew.
func searchLimits(c *config.Config) search.Limits {
	return search.Limits{
		Count: pageCount(c), MaxCount: c.Limits.Page, Parameters: c.Search.Conditions, Values: c.Search.Values, ValueLength: int(c.Search.Value),
		Chain: c.Search.Chain, Sort: c.Search.Sort, Includes: c.Search.Includes, Filter: c.Search.Filter, Codes: c.Search.Codes,
	}
}

// pageCount is how many resources there are on a page where the client does not say.
func pageCount(c *config.Config) int { return min(c.Limits.Count, c.Limits.Page) }

// address tells the engine where it is served, once the port is known.
func (p *process) address(address string) {
	base, bases := addresses(p.config, address)
	p.engine.FHIRBase = base
	p.engine.Index.SetBases(bases)
}

// addresses are what the FHIR endpoint calls itself, and all that it is known under to
// clients: what they reach it by from elsewhere, and from this machine.
func addresses(c *config.Config, listen string) (base string, all []string) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		host, port = listen, ""
	}
	hosts := []string{host}
	if loopbackHost(listen) {
		hosts = append(hosts, "localhost", "127.0.0.1", "::1")
	}
	for _, h := range hosts {
		all = append(all, "http://"+net.JoinHostPort(h, port)+fhirPath)
	}
	if base = c.FHIR.Base; base == "" {
		return all[0], all
	}
	return base, append([]string{base}, all...)
}

// prepare does what the server needs to be ready: publish the members, and load
// the demo.
func (p *process) prepare(ctx context.Context, o Options) error {
	p.members.tell(ctx)
	if err := p.members.publish(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to end before it was ready
		}
		return err
	}
	if o.Demo {
		deliveries, err := fs.Sub(testdata.Alliance(), "deliveries")
		if err != nil {
			return err
		}
		if err := deliverDemo(ctx, p.ingest, p.members.waiting(), deliveries); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	p.ready.Store(true)
	p.log.InfoContext(ctx, "ready")
	return nil
}
