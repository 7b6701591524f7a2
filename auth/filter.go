package auth

import (
	"context"
	"errors"
	"slices"
	"sync"
)

const (
	maxFiltered = 256 // streams of one Filter in mode http
	filterJobs  = 8   // of them asked about at a time
)

// filter is Filter where a principal has all his grants.
func filter(ctx context.Context, by Authorizer, p *Principal, r Request, streams []string) ([]string, error) {
	a := r.Action
	r.Action, r.Stream = "", ""
	var err error
	if p != nil {
		p, err = by.Renew(ctx, p, r)
	} else {
		p, err = by.Identify(ctx, r)
	}
	return p.among(a, streams), err
}

// among returns those of the streams on which p may do a. p may be nil.
func (p *Principal) among(a Action, streams []string) []string {
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(streams), func(s string) bool { return !p.May(a, s) })
}

// Filter takes one question's share of what a client may ask, however many streams there are.
func (c *callback) Filter(ctx context.Context, p *Principal, r Request, streams []string) ([]string, error) {
	if err := c.admit(p, r); err != nil {
		return nil, err
	}
	streams = streams[:min(len(streams), maxFiltered)]
	allowed, open := c.recallAll(r, streams)
	if len(open) > 0 {
		if err := c.rate.take(r.Remote); err != nil {
			return nil, err
		}
	}
	err := parallel(ctx, open, func(ctx context.Context, i int) error {
		q := r
		q.Stream = streams[i]
		_, err := c.answer(ctx, q)
		allowed[i] = err == nil
		return unclear(err)
	})
	if err != nil {
		return nil, &UnavailableError{Err: err}
	}
	var some []string
	for i, s := range streams {
		if allowed[i] {
			some = append(some, s)
		}
	}
	return some, nil
}

// recallAll tells which streams are known to be allowed, and the indices of the others.
func (c *callback) recallAll(r Request, streams []string) (allowed []bool, open []int) {
	allowed = make([]bool, len(streams))
	for i, s := range streams {
		r.Stream = s
		if _, allowed[i] = c.known.recall(c.digest(r)); !allowed[i] {
			open = append(open, i)
		}
	}
	return allowed, open
}

// admit returns why the credentials of r, or those that p came of, are not asked about.
func (c *callback) admit(p *Principal, r Request) error {
	switch {
	case p != nil:
		return c.renewable(p, r)
	case r.Credentials.None(): // it may be the query or the address that counts
		return nil
	default:
		return c.failures.admit(r)
	}
}

// unclear is why an answer is neither a yes nor a no, nil if it is one.
func unclear(err error) error {
	if u := new(UnavailableError); errors.As(err, &u) {
		return u.Err
	}
	return nil
}

// parallel calls do for each index, for filterJobs at a time, within askTimeout in all. It stops at the first error.
func parallel(ctx context.Context, indices []int, do func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	limited, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	next := make(chan int)
	var jobs sync.WaitGroup
	for range min(filterJobs, len(indices)) {
		jobs.Go(func() {
			for i := range next {
				if limited.Err() != nil {
					continue
				}
				if err := do(limited, i); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, i := range indices {
		next <- i
	}
	close(next)
	jobs.Wait()
	return context.Cause(limited)
}
