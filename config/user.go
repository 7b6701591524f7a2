package config

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// User is one who may do something, in mode internal.
type User struct {
	// Name is AnonymousUser, or what the user logs in with.
	Name string `toml:"name"`
	// Password is an argon2id hash as `gateway hash-password` prints it; "": none.
	Password Secret `toml:"password"`
	// Tokens are hashes of bearer tokens: sha256: and 64 hex digits.
	Tokens []Secret `toml:"tokens"`
	Allow  []Grant  `toml:"allow"`
}

// AnonymousUser is the name of everybody who shows no credentials.
const AnonymousUser = "anonymous"

// Grant allows actions on streams.
type Grant struct {
	// Actions are publish, play, talk, chat, file, ptz, admin and metrics.
	Actions []string `toml:"actions"`
	// Streams are names of streams, in which * is any run of characters.
	Streams []string `toml:"streams"`
}

// actions are those that a grant can name; the last two belong to no stream.
var actions = []string{"publish", "play", "talk", "chat", "file", "ptz", "admin", "metrics"}

var (
	userName = regexp.MustCompile(`^[!-9;-~]{1,64}$`)
	// passwordHash is argon2id in the form of its reference program: cost, salt and hash.
	passwordHash = regexp.MustCompile(`^\$argon2id\$v=19\$m=([1-9][0-9]{0,5}),t=([1-9]|10),p=([1-9][0-9]?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{11,86})$`)
	tokenHash    = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	streamGlob   = regexp.MustCompile(`^[A-Za-z0-9._*-]+$`)
)

func checkUsers(users []User) Faults {
	var faults Faults
	first := make(map[string]int)
	for i, u := range users {
		key := fmt.Sprintf("auth.users[%d]", i)
		faults = append(faults, u.check(key)...)
		if earlier, taken := first[u.Name]; taken && u.Name != "" {
			faults.add(key+".name", fmt.Sprintf("%s is the name of auth.users[%d] too: give all that a user may in one table", quote(u.Name), earlier))
		} else {
			first[u.Name] = i
		}
	}
	return faults
}

func (u User) check(key string) Faults {
	var faults Faults
	faults.add(key+".name", checkUserName(u.Name))
	if u.Name == AnonymousUser && (u.Password != "" || len(u.Tokens) > 0) {
		faults.add(key+".name", `"anonymous" is everybody who shows no credentials: take password and tokens away, or give the user another name`)
	}
	if u.Password != "" && !isPasswordHash(string(u.Password)) {
		faults.add(key+".password", "is not a hash as `gateway hash-password` prints it, which begins with $argon2id$: run that with the password, and write its last line here")
	}
	for i, t := range u.Tokens {
		if !tokenHash.MatchString(string(t)) {
			faults.add(fmt.Sprintf("%s.tokens[%d]", key, i), "is not a hash as `gateway hash-password --token` prints it, sha256: and 64 hex digits: run that, write its last line here, and give the token itself to the user")
		}
	}
	for i, g := range u.Allow {
		faults = append(faults, g.check(fmt.Sprintf("%s.allow[%d]", key, i))...)
	}
	return faults
}

// isPasswordHash holds a hash to what package auth verifies: at most 256 MiB of memory and 64 threads, eight blocks of
// memory or more for each (RFC 9106 3.1), and salt and hash of 8 to 64 bytes in base64 without padding.
func isPasswordHash(s string) bool {
	parts := passwordHash.FindStringSubmatch(s)
	if parts == nil {
		return false
	}
	memory, _ := strconv.Atoi(parts[1]) // digits, by the expression
	threads, _ := strconv.Atoi(parts[3])
	for _, text := range parts[4:] {
		if _, err := base64.RawStdEncoding.Strict().DecodeString(text); err != nil {
			return false
		}
	}
	return memory <= 256<<10 && threads <= 64 && memory >= 8*threads
}

func checkUserName(name string) string {
	if name == "" {
		return `is missing: add name = "..."`
	}
	if !userName.MatchString(name) {
		return quote(name) + ` cannot be a user's name: that is 1 to 64 printable characters of ASCII without space and ":"`
	}
	return ""
}

func (g Grant) check(key string) Faults {
	var faults Faults
	if len(g.Actions) == 0 {
		faults.add(key+".actions", `is missing: add actions = ["play"], or others of `+strings.Join(actions, ", "))
	}
	for i, a := range g.Actions {
		faults.add(fmt.Sprintf("%s.actions[%d]", key, i), checkAction(a))
	}
	if len(g.Streams) == 0 && g.ofStreams() {
		faults.add(key+".streams", `is missing: add streams = ["*"] for all, or names of streams`)
	}
	for i, s := range g.Streams {
		faults.add(fmt.Sprintf("%s.streams[%d]", key, i), checkGlob(s))
	}
	return faults
}

func checkAction(a string) string {
	if slices.Contains(actions, a) {
		return ""
	}
	if meant := nearest(a, actions); meant != "" {
		return fmt.Sprintf("%s is not an action; did you mean %s?", quote(a), meant)
	}
	return quote(a) + " is not an action; those are " + strings.Join(actions, ", ")
}

// checkGlob holds a shape of streams' names to the characters that names have. There are no regular expressions.
func checkGlob(s string) string {
	if len(s) > maxItemLength {
		return fmt.Sprintf("is longer than %d characters", maxItemLength)
	}
	if !streamGlob.MatchString(s) {
		return quote(s) + ` is no name of streams: that has letters (A-Z, a-z), digits, ".", "_", "-", and "*" for any run of characters`
	}
	return ""
}

// ofStreams tells whether one of the actions belongs to a stream.
func (g Grant) ofStreams() bool {
	return slices.ContainsFunc(g.Actions, func(a string) bool { return a != "admin" && a != "metrics" })
}

// mixed tells whether the streams leave out what belongs to none.
func (g Grant) mixed() bool {
	ofNone := slices.Contains(g.Actions, "admin") || slices.Contains(g.Actions, "metrics")
	all := func(s string) bool { return strings.Trim(s, "*") == "" }
	return ofNone && len(g.Streams) > 0 && !slices.ContainsFunc(g.Streams, all)
}

func (a Auth) userDoubts() Faults {
	var doubts Faults
	switch {
	case a.Mode != "internal" && len(a.Users) > 0:
		doubts.add("auth.users", `do nothing: auth.mode is not "internal"`)
	case a.Mode == "internal" && len(a.Users) == 0:
		doubts.add("auth.mode", "without [[auth.users]] nobody may do anything: `gateway init` writes a file that has an administrator")
	}
	for i, u := range a.Users {
		doubts = append(doubts, u.doubts(fmt.Sprintf("auth.users[%d]", i))...)
	}
	return doubts
}

func (u User) doubts(key string) Faults {
	var doubts Faults
	if u.Name != AnonymousUser && u.Password == "" && len(u.Tokens) == 0 {
		doubts.add(key+".name", quote(u.Name)+" has neither a password nor tokens, so nobody can be that user")
	}
	if len(u.Allow) == 0 {
		doubts.add(key+".name", quote(u.Name)+" may do nothing: add allow")
	}
	for i, g := range u.Allow {
		if g.mixed() {
			doubts.add(fmt.Sprintf("%s.allow[%d].streams", key, i), `keep admin and metrics from being allowed, which belong to no stream: write them into a table of their own, without streams`)
		}
		if u.Name == AnonymousUser && slices.Contains(g.Actions, "admin") {
			doubts.add(fmt.Sprintf("%s.allow[%d].actions", key, i), "let everybody who reaches the gateway change everything: leave out admin")
		}
	}
	return doubts
}
