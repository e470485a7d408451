package postgres

import (
	"context"
	"sync"
)

// lookups answers questions of one kind, many in one trip: what is asked while answers
// are on their way goes together with the next trip. Nobody waits for company: a
// question that finds a trip free leaves at once, alone.
type lookups[Q, A any] struct {
	ask   func(questions []Q) ([]A, error) // makes a trip and returns an answer to each question
	most  int                              // questions of a trip
	trips int                              // at a time
	spawn func(func())                     // starts a goroutine that the owner waits for

	mu      sync.Mutex
	under   int // trips that are under way
	waiting []*lookup[Q, A]
}

// lookup is one question, and what came of it once done is closed.
type lookup[Q, A any] struct {
	ctx      context.Context // of who asked, which ends nothing but its waiting
	question Q
	answer   A
	err      error
	panicked any
	done     chan struct{}
}

// look asks one question. It fails with ctx's error when ctx ends first, with that of
// the trip for all whose question was part of it, and panics as the trip did.
func (l *lookups[Q, A]) look(ctx context.Context, question Q) (answer A, err error) {
	if err := ctx.Err(); err != nil {
		return answer, err
	}
	one := &lookup[Q, A]{ctx: ctx, question: question, done: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, one)
	free := l.under < l.trips
	if free {
		l.under++
	}
	l.mu.Unlock()
	if free {
		l.spawn(l.run)
	}
	select {
	case <-one.done:
	case <-ctx.Done():
		return answer, ctx.Err()
	}
	if one.panicked != nil {
		panic(one.panicked)
	}
	return one.answer, one.err
}

// run makes trips until nobody waits.
func (l *lookups[Q, A]) run() {
	for {
		group := l.take()
		if group == nil {
			return
		}
		l.trip(group)
	}
}

// take returns those that go next, without who has gone; nil ends the trips.
func (l *lookups[Q, A]) take() (group []*lookup[Q, A]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.waiting) && len(group) < l.most {
		if one := l.waiting[n]; one.ctx.Err() == nil {
			group = append(group, one)
		}
		n++
	}
	if l.waiting = l.waiting[n:]; len(l.waiting) == 0 {
		l.waiting = nil
	}
	if group == nil {
		l.under--
	}
	return group
}

func (l *lookups[Q, A]) trip(group []*lookup[Q, A]) {
	var answers []A
	var err error
	var panicked any
	func() {
		defer func() { panicked = recover() }()
		questions := make([]Q, len(group))
		for i, one := range group {
			questions[i] = one.question
		}
		answers, err = l.ask(questions)
	}()
	for i, one := range group {
		if one.panicked = panicked; err == nil && panicked == nil {
			one.answer = answers[i]
		}
		one.err = err
		close(one.done)
	}
}
