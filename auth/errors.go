package auth

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrNoCredentials says that nothing was shown, and that nobody may without.
	ErrNoCredentials = errors.New("this needs a login")
	// ErrInvalid says that what was shown is wrong, expired, or of nobody known. Errors that say more are it too
	// (errors.Is).
	ErrInvalid = errors.New("the token, or the user name or password, is wrong")
)

// expiredError is an ErrInvalid that is no guess, and so doesn't count for the back-off.
type expiredError struct{}

func (*expiredError) Error() string { return "the token has expired" }

func (*expiredError) Is(target error) bool { return target == ErrInvalid }

// DeniedError is an ErrInvalid that says no more than: not for this. The same credentials were right for something else
// a moment ago, and the other server of mode http has one word for both.
type DeniedError struct{}

func (*DeniedError) Error() string { return "this login is not for this" }

// Is makes it an ErrInvalid.
func (*DeniedError) Is(target error) bool { return target == ErrInvalid }

// ForbiddenError says that a login is right, but not for this.
type ForbiddenError struct {
	Principal string
	Action    Action
	Stream    string // "" where the action has none
}

func (e *ForbiddenError) Error() string {
	if e.Stream == "" {
		return fmt.Sprintf("%q has no right %q", e.Principal, e.Action)
	}
	return fmt.Sprintf("%q has no right %q on the stream %q", e.Principal, e.Action, e.Stream)
}

// BackoffError says that there were too many wrong logins, from this address or with this user name: also a right login
// has to wait.
type BackoffError struct{ RetryAfter time.Duration }

func (e *BackoffError) Error() string {
	return fmt.Sprintf("too many logins: try again in %d seconds", int((e.RetryAfter+time.Second-1)/time.Second))
}

// RateError says that this address has caused too many questions to the other server of mode http. That is no word
// about its logins.
type RateError struct{ RetryAfter time.Duration }

func (e *RateError) Error() string {
	return fmt.Sprintf("too many questions to auth.http.url at once: try again in %v", e.RetryAfter)
}

// UnavailableError says that it can't be told now who may: nobody does.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string {
	return "whether you may can't be told now: " + e.Err.Error()
}

func (e *UnavailableError) Unwrap() error { return e.Err }
