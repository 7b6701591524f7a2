package push

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/testpeer"
	"sluice/media"
	"sluice/peer"
	"sluice/signalling/client"
)

// C1, C4, C11: pictures reach the server, its wishes reach the source, and the session is deleted in the end.
func TestPush(t *testing.T) {
	s := serve(t)
	p := start(t, s, nil)
	p.until(t, "the stream wanted", p.stream.Wanted)
	if st := p.Status(); st.State != StateIdle || st.Host != s.URL {
		t.Errorf("status is %+v before there is a source", st)
	}
	src := publish(t, p.stream, media.MainRendition, picture(16), sound(media.Opus))
	p.more(t, s)
	if st := p.Status(); st.State != StateConnected || st.Rendition != media.MainRendition || st.Stats.Packets == 0 || st.Error != "" || st.Note != "" {
		t.Errorf("status is %+v", st)
	}
	before := src.wishes.Load()
	p.until(t, "a keyframe wish", func() bool {
		s.newest().RequestKeyframe("")
		return src.wishes.Load() > before
	})
	p.cancel()
	<-p.done
	if posts, deletes := s.posts.Load(), s.deletes.Load(); posts != 1 || deletes != 1 {
		t.Errorf("%d POST, %d DELETE, want one of each", posts, deletes)
	}
	if p.stream.Wanted() || p.Status().State != StateIdle {
		t.Errorf("wanted %v, status %+v after the end", p.stream.Wanted(), p.Status())
	}
	s.tokens.Range(func(token, _ any) bool {
		if token != "Bearer secret-token" {
			t.Errorf("a request had %q for its token", token)
		}
		return true
	})
}

// C5
func TestOffer(t *testing.T) {
	s := serve(t)
	p := start(t, s, nil)
	publish(t, p.stream, media.MainRendition, picture(16), sound(media.Opus))
	p.more(t, s)
	sections := strings.Split(<-s.offers, "\r\nm=")
	if len(sections) != 3 || !strings.Contains(sections[0], "\r\na=group:BUNDLE ") {
		t.Fatalf("the offer is %q", sections)
	}
	streams := regexp.MustCompile(`a=msid:(\S+) `)
	for _, m := range sections[1:] {
		for _, line := range []string{"a=setup:actpass", "a=rtcp-mux", "a=rtcp-mux-only", "a=sendonly"} {
			if !strings.Contains(m+"\r\n", "\r\n"+line+"\r\n") {
				t.Errorf("no %s in %q", line, m)
			}
		}
		if !slices.Equal(streams.FindStringSubmatch(m), streams.FindStringSubmatch(sections[1])) || !streams.MatchString(m) {
			t.Errorf("its stream is %q", streams.FindStringSubmatch(m))
		}
	}
	if !strings.Contains(strings.Join(sections, ""), "a=ice-options:trickle ice2\r\n") {
		t.Error("no ice-options: trickle ice2")
	}
}

// The best rendition is sent, and when it stops the next one in the same session.
func TestBestRendition(t *testing.T) {
	s := serve(t)
	p := start(t, s, nil)
	publish(t, p.stream, "low", picture(16))
	high := publish(t, p.stream, "high", picture(64))
	p.until(t, "the high rendition", func() bool { return p.Status().Rendition == "high" && s.width.Load() == 64 })
	high.close()
	p.until(t, "the low rendition", func() bool { return p.Status().Rendition == "low" && s.width.Load() == 16 })
	p.more(t, s)
	if n := s.posts.Load(); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

// A source that is back soon goes on in the same session.
func TestSourceReturns(t *testing.T) {
	s := serve(t)
	p := start(t, s, nil)
	src := publish(t, p.stream, media.MainRendition, picture(16), sound(media.Opus))
	p.more(t, s)
	src.close()
	publish(t, p.stream, media.MainRendition, picture(16))
	p.more(t, s)
	if n := s.posts.Load(); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

// A source that stays away ends the session, and makes a new one when it comes back.
func TestSourceGone(t *testing.T) {
	s := serve(t)
	p := start(t, s, func(t *times) { t.gone = 200 * time.Millisecond })
	src := publish(t, p.stream, media.MainRendition, picture(16))
	p.more(t, s)
	src.close()
	p.until(t, "an idle push", p.is(StateIdle))
	if n := s.deletes.Load(); n != 1 {
		t.Errorf("%d DELETE, want 1", n)
	}
	publish(t, p.stream, media.MainRendition, picture(16))
	p.more(t, s)
	if n := s.posts.Load(); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
	if n := p.log.count("WARN"); n != 0 {
		t.Errorf("%d warnings of a source that comes and goes", n)
	}
}

// What was not offered takes a new session.
func TestCodecChange(t *testing.T) {
	s := serve(t)
	p := start(t, s, nil)
	src := publish(t, p.stream, media.MainRendition, picture(16), sound(media.Opus))
	p.more(t, s)
	src.close()
	publish(t, p.stream, media.MainRendition, picture(16), sound(media.PCMU))
	p.until(t, "another session", func() bool { return s.posts.Load() == 2 && s.deletes.Load() == 1 })
	p.more(t, s)
}

// What can't go over WebRTC is said, and not tried.
func TestUnfitSource(t *testing.T) {
	s := serve(t)
	p := start(t, s, nil)
	bad := picture(16)
	bad.BFrames = true
	src := publish(t, p.stream, media.MainRendition, bad, sound(media.AAC))
	p.until(t, "a sentence", func() bool {
		st := p.Status()
		return st.State == StateFailed && strings.Contains(st.Error, "VP8 with B-frames")
	})
	if n := s.posts.Load(); n != 0 {
		t.Errorf("%d sessions were tried", n)
	}
	src.close()
	publish(t, p.stream, media.MainRendition, picture(16), sound(media.AAC))
	p.more(t, s)
	if note := p.Status().Note; note != "The sound is left out. AAC cannot go over WebRTC." {
		t.Errorf("the note is %q", note)
	}
}

// C9: a server that takes no sound, or none of this codec, gets the picture alone, and each codec is tried once.
func TestRefusedSound(t *testing.T) {
	s := serve(t)
	s.mute = true
	p := start(t, s, func(t *times) { t.gone = 100 * time.Millisecond })
	for n, codec := range []media.Codec{media.PCMA, media.Opus, media.Opus} {
		src := publish(t, p.stream, media.MainRendition, picture(16), sound(codec))
		p.more(t, s)
		if st := p.Status(); st.State != StateConnected || st.Note != "The sound is left out. The server refuses "+codec.Title()+"." || st.Error != "" {
			t.Errorf("status is %+v", st)
		}
		src.close()
		p.until(t, "an idle push", p.is(StateIdle))
		if posts, want := s.posts.Load(), []int32{2, 4, 5}[n]; posts != want || s.deletes.Load() != posts {
			t.Errorf("%d sessions, %d deleted, want %d of each", posts, s.deletes.Load(), want)
		}
	}
	if n := p.log.count("push failed"); n != 0 {
		t.Errorf("%d warnings", n)
	}
}

// Without a picture a refusal of the sound is a failure.
func TestRefusedSoundAlone(t *testing.T) {
	s := serve(t)
	s.mute = true
	p := start(t, s, nil)
	publish(t, p.stream, media.MainRendition, sound(media.PCMA))
	p.until(t, "a sentence", func() bool { return strings.Contains(p.Status().Error, "it is refused with port 0") })
}

// A source that turns out to be unfit ends its session.
func TestSourceTurnsUnfit(t *testing.T) {
	s := serve(t)
	p := start(t, s, nil)
	src := publish(t, p.stream, media.MainRendition, picture(16))
	p.more(t, s)
	src.close()
	bad := picture(16)
	bad.Interlaced = true
	publish(t, p.stream, media.MainRendition, bad)
	p.until(t, "a sentence", func() bool { return strings.Contains(p.Status().Error, "interlaced") })
	if n := s.deletes.Load(); n != 1 {
		t.Errorf("%d DELETE, want 1", n)
	}
}

// C10: what is a matter of time is tried again soon, and what the server does to us too.
func TestRetry(t *testing.T) {
	s := serve(t)
	s.first = func(w http.ResponseWriter, _ *http.Request) bool {
		if s.posts.Load() == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return s.posts.Load() == 1
	}
	p := start(t, s, nil)
	publish(t, p.stream, media.MainRendition, picture(16))
	p.until(t, "a failure", func() bool { return strings.Contains(p.Status().Error, "status 503") })
	p.more(t, s)
	if st := p.Status(); st.Error != "" {
		t.Errorf("status is %+v", st)
	}
	s.leave()
	p.until(t, "a failure", p.is(StateFailed))
	p.more(t, s)
	if n := s.posts.Load(); n != 3 {
		t.Errorf("%d sessions, want 3", n)
	}
}

// C9: an answer that does not fit ends the session that it is of.
func TestUnusableAnswer(t *testing.T) {
	s := serve(t)
	s.first = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", "/session")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n")
		return true
	}
	p := start(t, s, nil)
	publish(t, p.stream, media.MainRendition, picture(16))
	p.until(t, "a failure", func() bool { return strings.Contains(p.Status().Error, "use the answer of "+s.URL) })
	if n := s.deletes.Load(); n != 1 {
		t.Errorf("%d DELETE, want 1", n)
	}
}

// A server whose media port can't be reached is given up.
func TestUnreachableMedia(t *testing.T) {
	s := serve(t)
	s.first = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			s.engine = deaf(t)
		}
		return false
	}
	p := start(t, s, func(t *times) { t.connect = 300 * time.Millisecond })
	publish(t, p.stream, media.MainRendition, picture(16))
	p.until(t, "a failure", func() bool { return strings.Contains(p.Status().Error, "no path between") })
	p.until(t, "the session deleted", func() bool { return s.deletes.Load() > 0 })
}

// C7: a server that falls silent is asked for an ICE restart before it is given up.
func TestSilentServer(t *testing.T) {
	s := serve(t)
	restarts := make(chan string, 8)
	s.first = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			select {
			case restarts <- r.Header.Get("If-Match"):
			default:
			}
			http.NotFound(w, r)
		}
		return r.Method == http.MethodPatch
	}
	p := start(t, s, nil)
	publish(t, p.stream, media.MainRendition, picture(16))
	p.more(t, s)
	s.vanish(t)
	select {
	case match := <-restarts:
		if match != "*" {
			t.Errorf("If-Match is %q", match)
		}
	case <-time.After(patience):
		t.Fatal("no restart was asked for")
	}
	p.until(t, "a new session", func() bool { return s.posts.Load() > 1 })
}

// deaf makes an engine that uses its port no more.
func deaf(t *testing.T) *peer.Engine {
	t.Helper()
	e := testpeer.New(t, peer.Options{})
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	return e
}

// However long nobody has published, a new source has the whole time to say what its pictures are.
func TestSettle(t *testing.T) {
	for name, c := range map[string]struct{ idle, known, want time.Duration }{
		"known in time":            {1900 * time.Millisecond, time.Second, time.Second},
		"known in time, long idle": {time.Hour + 1900*time.Millisecond, time.Second, time.Second},
		"known too late":           {1900 * time.Millisecond, 3 * time.Second, 2 * time.Second},
		"known at once":            {0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stream := newStream(t)
				p, _ := newPusher(t, stream, "whips://h", nil)
				var published time.Time
				go func() {
					time.Sleep(c.idle)
					published = time.Now()
					publisher, err := stream.Publish(media.MainRendition, []media.Track{picture(0)})
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(c.known)
					if err := publisher.Update(picture(16)); err != nil {
						t.Error(err)
					}
				}()
				got, err := p.awaitSource(t.Context())
				if d := time.Since(published); err != nil || d != c.want {
					t.Errorf("chosen after %v (%v), want %v", d, err, c.want)
				}
				if known := got.tracks[0].Width == 16; known != (c.known == c.want) {
					t.Errorf("the picture is known: %v", known)
				}
				time.Sleep(time.Minute) // until the source has said all
			})
		})
	}
}

// C10: a final refusal is told once, and tried again each minute or when the source changes.
func TestPause(t *testing.T) {
	final := &client.StatusError{Method: "POST", Host: "https://h", Status: 401}
	busy := &client.StatusError{Method: "POST", Host: "https://h", Status: 429, RetryAfter: 90 * time.Second}
	for name, c := range map[string]struct {
		err       error
		change    bool // of the source, after 5 s
		low, high time.Duration
	}{
		"final":                          {final, false, time.Minute, time.Minute},
		"final, the source changes":      {final, true, 5 * time.Second, 5 * time.Second},
		"a matter of time":               {errors.New("lost"), false, 800 * time.Millisecond, 1200 * time.Millisecond},
		"as the server asks":             {busy, false, 90 * time.Second, 90 * time.Second},
		"as the server asks, and change": {busy, true, 90 * time.Second, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stream := newStream(t)
				publisher, err := stream.Publish(media.MainRendition, []media.Track{picture(16)})
				if err != nil {
					t.Fatal(err)
				}
				p, _ := newPusher(t, stream, "whips://h", nil)
				chosen, err := choose(stream.Renditions())
				if err != nil {
					t.Fatal(err)
				}
				if c.change {
					time.AfterFunc(5*time.Second, publisher.Close)
				}
				began := time.Now()
				p.pause(t.Context(), chosen, c.err)
				if d := time.Since(began); d < c.low || d > c.high {
					t.Errorf("paused for %v, want %v to %v", d, c.low, c.high)
				}
				time.Sleep(time.Minute) // until AfterFunc has run
			})
		})
	}
}

// C10
func TestFinalRefusalIsToldOnce(t *testing.T) {
	s := serve(t)
	s.first = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	p := start(t, s, nil)
	for n := range int32(3) {
		src := publish(t, p.stream, media.MainRendition, picture(16))
		p.until(t, "a try", func() bool { return s.posts.Load() == n+1 && p.is(StateFailed)() })
		src.close()
		p.until(t, "an idle push", p.is(StateIdle))
	}
	if n := p.log.count("WARN"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	for name, url := range map[string]string{"nothing": "", "another scheme": "rtmp://h/x", "WHEP": "whep://h/x", "userinfo": "whip://a:b@h/x"} {
		if _, err := New(Options{URL: url}); err == nil {
			t.Errorf("%s is no fault", name)
		}
	}
}
