package redact

import "regexp"

// mask stands for what is hidden.
const mask = "***"

// secretName is how a parameter, a property or a field is named whose value is a secret: "stream_key", "user-pw",
// "accessToken".
const secretName = `(?:[a-z0-9]+[-_.])*(?:[a-z]*(?:token|password|passwd|passphrase|secret|credential|api_?key)|` +
	`key|jwt|pass|pwd|pw|sig|signature|auth|loginpass?|cookies?|sluice_session)`

// quoted is a value in quotes, which may stand in quotes themselves, or be left open; or nothing.
const quoted = `(?:"(?:[^"\\]|\\.)*"?|\\+"[^"]*"?|'(?:[^'\\]|\\.)*'?)?`

// header is the name of a header or an SDP attribute whose value is a secret. It ends where its line or its quotes do.
const header = `(?:proxy-)?authorization|(?:set-)?cookie|ice-pwd`

// secretValues find what is secret, as their one group.
var secretValues = []*regexp.Regexp{
	// A parameter ends where the next begins.
	regexp.MustCompile(`(?i)[?&;/]` + secretName + `=([^&;#\s]*)`),
	// A property may be quoted and have a type before it.
	regexp.MustCompile(`(?i)(?:^|[^a-z0-9?&;/_.-])` + secretName + `\s*=\s*(?:\(\w+\)\s*)?(` + quoted + `(?:\\.|\S)*)`),
	// A header says who asks.
	regexp.MustCompile(`(?i)\b(?:` + header + `)\s*[=:]\s*(?:\(\w+\)\s*)?(` + quoted + `(?:\\.|[^"\\\r\n])*)`),
	regexp.MustCompile(`(?i)\bbearer\s+([^\s"'\\]+)`),
	regexp.MustCompile(`\b(?i:basic)\s+([A-Za-z0-9+/_-]*[A-Z0-9][A-Za-z0-9+/_-]{3,}=*)`),
	regexp.MustCompile(`(?i)authorization\s*[=:]\s*(?:\(\w+\)\s*)?(digest\s[^\r\n]*)`),
	// A field of JSON, which may stand in a string; and of what fmt makes of structs and maps.
	regexp.MustCompile(`(?i)["']` + secretName + `\\*["']\s*:\s*(\[[^\]]*\]?|` + quoted + `[^\s,}\]]*)`),
	regexp.MustCompile(`(?i)[\[{ ]` + secretName + `:(\[[^\]]*\]?|` + quoted + `[^\s}\]]+)`),
	// What a secret looks like, whatever its name: hashes, JSON Web Tokens, keys.
	regexp.MustCompile(`\$(argon2(?:id|i|d)\$[^\s"'\\;]*)`),
	regexp.MustCompile(`(?i)\bsha256:([0-9a-f]{16,})`),
	regexp.MustCompile(`\b(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*)`),
	regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`),
	// The URL of a session is a capability (RFC 9725 5): the first 6 characters of its ID stay.
	regexp.MustCompile(`/(?:whep|whip|talk|sessions)/[A-Za-z0-9_-]{6}([A-Za-z0-9_-]+)`),
	// A stream key at the end of a path, as LiveKit has it.
	regexp.MustCompile(`://[^\s"']*/w/([A-Za-z0-9_-]{8,})`),
}

// streamKey finds the path of an RTMP URL, which whoever publishes there keeps secret.
var streamKey = regexp.MustCompile(`(?i)rtmp[a-z]*://[^/\s"']*/([^\s"']+)`)

var (
	words     = regexp.MustCompile(`\S+`)
	wholeName = regexp.MustCompile(`(?i)^(?:` + secretName + `|` + header + `)$`)
)
