package doctor

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
)

// state is a stream as the gateway's API tells it.
type state struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Error   string `json:"error"`
	Source  string `json:"source"`
	Publish bool   `json:"publish"`
	Tracks  []struct {
		Kind, Codec   string
		Width, Height int
		BFrames       bool `json:"b_frames"`
		Rendition     string
		Skipped       string
	} `json:"tracks"`
}

// login finds out whether the token may play the stream. It reports whether it is worth while to go on.
func (e *examination) login(ctx context.Context) (goOn bool, found []Finding) {
	who := "without a token"
	if e.door.token != "" {
		who = "with the token"
	}
	if e.stream == "" {
		if f, fine := e.choose(ctx); !fine {
			return false, []Finding{f}
		}
	}
	p, err := e.door.get(ctx, "api", "v1", "streams", e.stream)
	if err != nil {
		return false, []Finding{fail("login", "The API does not answer: "+brief(err)+".", startCommand)}
	}
	if p.status != http.StatusOK {
		return false, []Finding{e.refused(p.status, p)}
	}
	return true, []Finding{ok("login: " + who + " stream " + e.stream + " may be played" + e.more(ctx))}
}

// more is what else may be done.
func (e *examination) more(ctx context.Context) string {
	if p, err := e.door.get(ctx, "api", "v1", "sessions"); err == nil && p.status == http.StatusOK {
		return ", and the gateway looked after (admin)"
	}
	return ""
}

// choose takes the first stream that is ready, or else the first.
func (e *examination) choose(ctx context.Context) (Finding, bool) {
	p, err := e.door.get(ctx, "api", "v1", "streams")
	if err != nil {
		return fail("login", "The API does not answer: "+brief(err)+".", startCommand), false
	}
	if p.status != http.StatusOK {
		return e.refused(p.status, p), false
	}
	var all []state
	if err := json.Unmarshal(p.body, &all); err != nil {
		return fail("login", "The API answers with something else than JSON: is there a proxy between?", "--url http://HOST:8889"), false
	}
	for _, s := range all {
		if e.stream == "" || s.State == "ready" {
			e.stream = s.Name
		}
		if s.State == "ready" {
			return Finding{}, true
		}
	}
	if e.stream == "" {
		return fail("login: there is no stream to look at", "None is configured, or none that may be played"+e.byWhom()+".", "--token TOKEN", "[streams.demo]", `source = "demo:"`), false
	}
	return Finding{}, true
}

func (e *examination) byWhom() string {
	if e.door.token == "" {
		return " without a token"
	}
	return " with this token"
}

// refused says why the API, or a session, is not for us.
func (e *examination) refused(status int, p *page) Finding {
	_, detail, _ := p.problem()
	return e.refusal("login", status, detail)
}

// refusal is an HTTP status with the gateway's words, as a finding.
func (e *examination) refusal(check string, status int, detail string) Finding {
	switch {
	case status == http.StatusUnauthorized && e.withheld:
		return fail(check+": the token was not sent", "The certificate is not trusted, so anybody may have shown it. Name the host by which it is, or say that you know better.", "--tls-insecure")
	case status == http.StatusUnauthorized && e.door.token == "":
		return fail(check+": nobody gets in without a token", "Give one, or let everybody play.", "--token TOKEN",
			"[[auth.users]]", `name = "anonymous"`, `allow = [{ actions = ["play"], streams = ["*"] }]`)
	case status == http.StatusUnauthorized:
		return fail(check+": the token is wrong", "The gateway knows no such token, or it has expired. A new one, and the line for the configuration, are made by:", "gateway hash-password --token")
	case status == http.StatusForbidden:
		return fail(check+": not for "+e.stream, detail+" Add the right to the user.", `allow = [{ actions = ["play"], streams = ["`+e.stream+`"] }]`)
	case status == http.StatusNotFound:
		return fail(check+": there is no stream "+e.stream, "Is the name spelt right? To have such a stream:", "[streams."+e.stream+"]", `source = "rtsp://CAMERA/PATH"`)
	case status == http.StatusTooManyRequests:
		return fail(check+": too many requests or wrong logins", detail+" Wait a minute.", "limits.sessions_per_ip = 0   # if viewers share one address")
	case status == http.StatusServiceUnavailable:
		return fail(check+": the gateway can't serve this now", detail, "limits.sessions = 0   # if that is what it has too many of")
	}
	return fail(check+": the gateway answers with status "+strconv.Itoa(status), detail)
}
