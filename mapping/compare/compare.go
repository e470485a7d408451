package compare

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/yilian/yilian/mapping"
)

// Defaults of Options.
const (
	DefaultExamples = 3
	DefaultKinds    = 2000
)

// Delivery is a part of the corpus: files that belong together, and the source they come by.
type Delivery struct {
	Source string
	Files  []mapping.File
}

// Options say how to compare. A zero number means its default.
type Options struct {
	Salt     []byte    // the same for both: ids must not differ by it
	Received time.Time // of records without a time of their own
	Intake   mapping.IntakeLimits
	Examples int // of each kind of difference
	Kinds    int // of difference that are told apart; what comes behind them is only counted
}

// Run compares what two versions of a folder make of the deliveries. An error is about the deliveries or the maps as a
// whole; what is wrong with one record is part of the report.
func Run(ctx context.Context, before, after *mapping.Institution, corpus iter.Seq2[Delivery, error], o Options) (*Report, error) {
	if o.Examples <= 0 {
		o.Examples = DefaultExamples
	}
	if o.Kinds <= 0 {
		o.Kinds = DefaultKinds
	}
	c := &comparison{before: before, after: after, o: o, summary: newSummary(o)}
	for d, err := range corpus {
		if err != nil {
			return nil, err
		}
		if err := c.delivery(ctx, d); err != nil {
			return nil, err
		}
	}
	return c.report(), nil
}

type comparison struct {
	before, after *mapping.Institution
	o             Options
	*summary
}

// spot names a record of a delivery, whoever finds it.
type spot struct {
	file       int
	start, end int64
	place      string
	table      string // main table of a row: two maps may read one row, each for itself
	nth        int    // of the records found there
}

// side is one version's reading of a delivery.
type side struct {
	next  func() (mapping.Cut, error, bool)
	stop  func()
	ended bool
	alone map[spot]mapping.Cut // found by this side and not yet by the other
	order []spot
	seen  map[spot]int
	name  string // for errors
}

func open(name string, inst *mapping.Institution, d Delivery, lim mapping.IntakeLimits) *side {
	s := &side{name: name, alone: map[spot]mapping.Cut{}, seen: map[spot]int{}}
	s.next, s.stop = iter.Pull2(inst.Open(d.Source, d.Files, lim).Records())
	return s
}

// step reads the next record and says where it stands.
func (s *side) step() (spot, mapping.Cut, bool, error) {
	if s.ended {
		return spot{}, mapping.Cut{}, false, nil
	}
	cut, err, ok := s.next()
	if err != nil {
		return spot{}, cut, false, fmt.Errorf("with the %s maps: %w", s.name, err)
	}
	if !ok {
		s.ended = true
		return spot{}, cut, false, nil
	}
	at := spot{file: cut.File, start: cut.Start, end: cut.End, place: cut.Place}
	if cut.Record != nil && cut.Key != "" {
		at.table = cut.Record.Type
	}
	s.seen[at]++
	if n := s.seen[at]; n > 1 {
		at.nth = n
	}
	return at, cut, true, nil
}

func (c *comparison) delivery(ctx context.Context, d Delivery) error {
	old, now := open("old", c.before, d, c.o.Intake), open("new", c.after, d, c.o.Intake)
	defer old.stop()
	defer now.stop()
	for !old.ended || !now.ended {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, turn := range [...]struct{ mine, other *side }{{old, now}, {now, old}} {
			at, cut, ok, err := turn.mine.step()
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			twin, found := turn.other.alone[at]
			if !found {
				turn.mine.alone[at] = cut
				turn.mine.order = append(turn.mine.order, at)
				continue
			}
			delete(turn.other.alone, at)
			if turn.mine == old {
				cut, twin = twin, cut // cut is now's
			}
			if err := c.pair(d, &twin, &cut); err != nil {
				return err
			}
		}
	}
	for _, s := range [...]*side{old, now} {
		for _, at := range s.order {
			cut, left := s.alone[at]
			if !left {
				continue
			}
			pair := [2]*mapping.Cut{&cut, nil}
			if s == now {
				pair = [2]*mapping.Cut{nil, &cut}
			}
			if err := c.pair(d, pair[0], pair[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// outcome is what one version makes of a record.
type outcome struct {
	found  bool // the version finds the record at all
	result *mapping.Result
	cut    *mapping.Cut
}

func (c *comparison) run(inst *mapping.Institution, cut *mapping.Cut) (outcome, error) {
	if cut == nil {
		return outcome{result: &mapping.Result{}}, nil
	}
	if cut.Record == nil {
		return outcome{found: true, cut: cut, result: unreadable(cut.Err)}, nil
	}
	got, err := inst.Map(cut.Record, mapping.RunOptions{Salt: c.o.Salt, Received: c.o.Received})
	if err != nil {
		return outcome{}, fmt.Errorf("map a record: %w", err)
	}
	return outcome{found: true, cut: cut, result: got}, nil
}

func (c *comparison) pair(d Delivery, old, now *mapping.Cut) error {
	before, err := c.run(c.before, old)
	if err != nil {
		return err
	}
	after, err := c.run(c.after, now)
	if err != nil {
		return err
	}
	cut := now
	if cut == nil {
		cut = old
	}
	c.add(Example{File: d.Files[cut.File].Name, Line: cut.Line, Place: cut.Place}, before, after)
	return nil
}
