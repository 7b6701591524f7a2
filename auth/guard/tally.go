package guard

import (
	"errors"
	"sync/atomic"

	"sluice/auth"
)

// Result is what became of a request that needs a right, or of a login.
type Result string

// The results.
const (
	Allowed       Result = "allowed"
	NoCredentials Result = "no_credentials"
	Invalid       Result = "invalid"
	Forbidden     Result = "forbidden"
	Backoff       Result = "backoff"
	Unavailable   Result = "unavailable"
)

var (
	modes   = [...]auth.Mode{auth.ModeNone, auth.ModeInternal, auth.ModeJWT, auth.ModeHTTP}
	results = [...]Result{Allowed, NoCredentials, Invalid, Forbidden, Backoff, Unavailable}
)

// Count is how many requests of one mode had one result.
type Count struct {
	Mode   auth.Mode
	Result Result
	N      uint64
}

// tally counts results without a lock. Its zero value has counted nothing.
type tally [len(modes)][len(results)]atomic.Uint64

func (t *tally) add(mode auth.Mode, result Result) {
	for i, m := range modes {
		for j, r := range results {
			if m == mode && r == result {
				t[i][j].Add(1)
			}
		}
	}
}

// counts has every result of every mode that has any.
func (t *tally) counts() []Count {
	var all []Count
	for i, m := range modes {
		row, used := make([]Count, 0, len(results)), false
		for j, r := range results {
			n := t[i][j].Load()
			row, used = append(row, Count{m, r, n}), used || n > 0
		}
		if used {
			all = append(all, row...)
		}
	}
	return all
}

// resultOf is the result that an error of Check or Identify tells.
func resultOf(err error) Result {
	switch {
	case err == nil:
		return Allowed
	case errors.Is(err, auth.ErrNoCredentials):
		return NoCredentials
	case errors.Is(err, auth.ErrInvalid):
		return Invalid
	case errors.As(err, new(*auth.ForbiddenError)), errors.As(err, new(*CrossOriginError)):
		return Forbidden
	case errors.As(err, new(*auth.BackoffError)), errors.As(err, new(*auth.RateError)):
		return Backoff
	default:
		return Unavailable
	}
}
