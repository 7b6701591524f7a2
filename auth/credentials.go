package auth

import (
	"log/slog"
	"strings"
)

// Bounds of what is looked at: longer ones are wrong.
const (
	maxToken    = 16 << 10 // bytes, as all headers of a request together
	maxUser     = 256      // bytes
	maxPassword = 1 << 10  // bytes
)

const placeholder = "(credentials)"

// None tells whether nothing was shown.
func (c Credentials) None() bool { return c == Credentials{} }

// String hides them.
func (c Credentials) String() string { return placeholder }

// GoString hides them too.
func (c Credentials) GoString() string { return placeholder }

// LogValue hides them in a log.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(placeholder) }

// valid tells whether they can be right at all.
func (c Credentials) valid() bool {
	return !c.Unreadable && len(c.Token) <= maxToken && len(c.User) <= maxUser && len(c.Password) <= maxPassword
}

// login is the user and the password, be they two or one token.
func (c Credentials) login() (user, password string, ok bool) {
	if c.Token == "" {
		return c.User, c.Password, c.User != ""
	}
	user, password, ok = strings.Cut(c.Token, ":")
	return user, password, ok && user != "" && len(user) <= maxUser && len(password) <= maxPassword
}

// user is the name that they claim, "" if none.
func (c Credentials) user() string {
	user, _, ok := c.login()
	if !ok {
		return ""
	}
	return user
}
