package redis

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	client "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/yilian/yilian/gateway/fault"
	"github.com/yilian/yilian/gateway/store/memory"
)

// Options are the limits of a Redis. Zero fields take the defaults.
type Options struct {
	// Prefix stands before every key and channel. It must be the store's own.
	Prefix string
	// Timeout bounds one call; default DefaultTimeout.
	Timeout time.Duration
	// Failures in a row open the breaker, and Pause later one call is let through
	// again; defaults DefaultFailures, DefaultPause.
	Failures int
	Pause    time.Duration
	// Expire is how long a value is kept; default DefaultExpire.
	Expire time.Duration
	// Value bounds the bytes of a value; longer ones are not kept. Default DefaultValue.
	Value int
	// Queue is how many values may wait to be sent; further ones are not kept. Default DefaultQueue.
	Queue int
	// Log is told when Redis goes away and comes back; default slog.Default().
	Log *slog.Logger
}

// Defaults.
const (
	DefaultTimeout  = 50 * time.Millisecond
	DefaultFailures = 5
	DefaultPause    = time.Second
	DefaultExpire   = 10 * time.Minute
	DefaultValue    = 256 << 10
	DefaultQueue    = 256
)

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Failures <= 0 {
		o.Failures = DefaultFailures
	}
	if o.Pause <= 0 {
		o.Pause = DefaultPause
	}
	if o.Expire <= 0 {
		o.Expire = DefaultExpire
	}
	if o.Value <= 0 {
		o.Value = DefaultValue
	}
	if o.Queue <= 0 {
		o.Queue = DefaultQueue
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Redis is a connection to one. It is safe for concurrent use.
type Redis struct {
	opt     Options
	client  *client.Client
	breaker *breaker
	own     *memory.Memory // counts what this process saw
	name    string         // of this process on the bell
	queue   chan value
	bell    chan struct{} // wakes the goroutine that rings

	mu   sync.Mutex
	rung map[string]struct{} // topics that are still to be rung

	ctx  context.Context
	end  context.CancelFunc
	work sync.WaitGroup
}

type value struct {
	key   string
	bytes []byte
}

// quiet keeps the library from writing to standard error; what counts is told by Log.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

var silence = sync.OnceFunc(func() { client.SetLogger(quiet{}) })

// Open prepares connections to the Redis that a URL names. It does not wait for one: a
// Redis that is away now may come later. The fault is Invalid for a URL that cannot be
// read.
func Open(url string, o Options) (*Redis, error) {
	o = o.withDefaults()
	settings, err := client.ParseURL(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the URL of Redis cannot be read, expected redis://host:port/number") // the library's words may hold the password
	}
	silence()
	settings.ClientName = "yilian"
	settings.DisableIdentity = true
	settings.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	settings.ContextTimeoutEnabled = true
	settings.MaxRetries = -1 // the breaker knows better
	settings.DialTimeout = max(time.Second, o.Timeout)
	settings.ReadTimeout, settings.WriteTimeout, settings.PoolTimeout = o.Timeout, o.Timeout, o.Timeout
	settings.MinIdleConns = 1
	settings.ConnMaxIdleTime = 5 * time.Minute
	r := &Redis{
		opt: o, client: client.NewClient(settings), own: memory.New(memory.Options{Bytes: 1}), name: newName(),
		queue: make(chan value, o.Queue), bell: make(chan struct{}, 1), rung: map[string]struct{}{},
	}
	r.breaker = &breaker{failures: o.Failures, pause: o.Pause, turned: r.turned}
	r.ctx, r.end = context.WithCancel(context.Background())
	r.work.Go(r.send)
	r.work.Go(r.ring)
	return r, nil
}

func (r *Redis) turned(open bool) {
	if open {
		r.opt.Log.Warn("redis is away; answers come from the store")
		return
	}
	r.opt.Log.Info("redis is back")
}

// call makes one call, if the breaker lets it through, and reports whether it worked.
func (r *Redis) call(ctx context.Context, fn func(ctx context.Context) error) bool {
	if !r.breaker.allow() {
		return false
	}
	bounded, cancel := context.WithTimeout(ctx, r.opt.Timeout)
	defer cancel()
	err := fn(bounded)
	switch {
	case err == nil, errors.Is(err, client.Nil):
		r.breaker.worked()
	case ctx.Err() != nil: // the one who asked has left; that says nothing of Redis
	default:
		r.breaker.failure()
	}
	return err == nil
}

// Get returns a value, which is the caller's.
func (r *Redis) Get(ctx context.Context, key string) (value []byte, ok bool) {
	ok = r.call(ctx, func(ctx context.Context) (err error) {
		value, err = r.client.Get(ctx, r.opt.Prefix+key).Bytes()
		return err
	})
	return value, ok
}

// Set keeps a value, a little later. It does not wait: when too many are on their way
// the value is not kept.
func (r *Redis) Set(key string, bytes []byte) {
	if len(bytes) > r.opt.Value {
		return
	}
	select {
	case r.queue <- value{key, bytes}:
	default:
	}
}

// most values are sent in one trip.
const most = 64

// send sends values until Close.
func (r *Redis) send() {
	for {
		var list []value
		select {
		case <-r.ctx.Done():
			return
		case v := <-r.queue:
			list = append(list, v)
		}
		for more := true; more && len(list) < most; {
			select {
			case v := <-r.queue:
				list = append(list, v)
			default:
				more = false
			}
		}
		r.call(r.ctx, func(ctx context.Context) error {
			_, err := r.client.Pipelined(ctx, func(p client.Pipeliner) error {
				for _, v := range list {
					p.Set(ctx, r.opt.Prefix+v.key, v.bytes, r.opt.Expire)
				}
				return nil
			})
			return err
		})
	}
}

// Count adds n to what happened under the key in the present window, in all processes,
// and returns how much that is. While Redis is away it is what this process saw.
func (r *Redis) Count(ctx context.Context, key string, n int64, window time.Duration) int64 {
	own := r.own.Count(ctx, key, n, window)
	at := time.Now().Truncate(window).UnixMilli()
	name := r.opt.Prefix + key + ":" + strconv.FormatInt(at, 36)
	var total *client.IntCmd
	ok := r.call(ctx, func(ctx context.Context) error {
		_, err := r.client.Pipelined(ctx, func(p client.Pipeliner) error {
			total = p.IncrBy(ctx, name, n)
			p.PExpire(ctx, name, 2*window)
			return nil
		})
		return err
	})
	if !ok {
		return own
	}
	return max(own, total.Val())
}

// Close ends the connections. Values that wait to be sent are not. It may be called
// more than once.
func (r *Redis) Close() error {
	r.end()
	r.work.Wait()
	if err := r.client.Close(); err != nil && !errors.Is(err, client.ErrClosed) {
		return err
	}
	return nil
}
