package client

import (
	"encoding/json"
	"mime"
	"strings"
	"unicode"
)

const (
	maxDetail = 300 // characters
	minSecret = 8   // characters of a part of a URL that may be a key; shorter ones are words such as "/whip"
	mask      = "***"
)

// detail is what a refusal says in its body, made safe: of a problem document (RFC 9457) or plain text.
func detail(r *response, secrets []string) string {
	mediaType, _, _ := mime.ParseMediaType(r.header.Get("Content-Type"))
	text := ""
	switch mediaType {
	case "application/problem+json", "application/json":
		text = problem(r.body)
	case "text/plain":
		text = r.body
	}
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, mask)
	}
	return clean(text)
}

func problem(body string) string {
	var p struct{ Title, Detail, Message, Error any }
	if json.Unmarshal([]byte(body), &p) != nil {
		return ""
	}
	for _, v := range []any{p.Detail, p.Message, p.Error, p.Title} {
		if text, ok := v.(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// clean makes a foreign text one line that no terminal or log misreads, of at most maxDetail characters.
func clean(text string) string {
	var b strings.Builder
	n, blank := 0, false
	for _, r := range text {
		if unicode.IsSpace(r) {
			blank = true
			continue
		}
		if !unicode.IsPrint(r) {
			continue
		}
		if blank && n > 0 {
			b.WriteByte(' ')
			n++
		}
		blank = false
		if n >= maxDetail {
			return strings.TrimSpace(b.String()) + "…"
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
