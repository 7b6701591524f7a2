package whep

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/ingest"
	"sluice/media"
	"sluice/negotiation"
	"sluice/signalling/client"
	"sluice/signalling/client/call"
)

// C1, C11: pictures and sound of the server reach the hub, and the session is deleted in the end.
func TestPull(t *testing.T) {
	for name, offers := range map[string]bool{"our offer": false, "the server's offer": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.offers.Store(offers)
			p := start(t, newSource(t, s))
			p.until(t, "both tracks", p.carries(media.VP8, media.Opus))
			sub, err := p.stream.Subscribe(media.MainRendition, hub.StartGOP)
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close()
			units := map[string]int{}
			for units["video"] < 20 || units["audio"] < 20 {
				u, err := sub.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				units[u.Track.ID]++
			}
			if picture := p.stream.Tracks(media.MainRendition)[0]; picture.Width != 16 || picture.Height != 16 {
				t.Errorf("the picture is %d×%d, want 16×16", picture.Width, picture.Height)
			}
			if st := p.source.Stats(); st.Packets < 40 || st.Bytes == 0 {
				t.Errorf("counted %+v", st)
			}
			told := time.Now()
			p.cancel()
			if err := p.end(t); !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
			if d := time.Since(told); d > 10*time.Second {
				t.Errorf("it took %v to end, want 2 s at most", d)
			}
			if n := s.deletes.Load(); n != 1 {
				t.Errorf("%d DELETE, want 1", n)
			}
			if n := p.publications.Load(); n != 1 {
				t.Errorf("published %d times, want once", n)
			}
			if st := p.source.Stats(); st.Packets < 40 {
				t.Errorf("counted %+v after the end", st)
			}
		})
	}
}

// C5, C12: the offer asks for one track of each kind, in any codec that we can take.
func TestOffer(t *testing.T) {
	s := serve(t)
	p := start(t, newSource(t, s))
	p.until(t, "both tracks", p.carries(media.VP8, media.Opus))
	sections := strings.Split(<-s.sdps, "\r\nm=")
	if len(sections) != 3 || !strings.Contains(sections[0], "\r\na=group:BUNDLE ") {
		t.Fatalf("the offer is %q", sections)
	}
	codecs := map[string]string{"video": "H264 H265 VP8 VP9 AV1", "audio": "opus G722 PCMU PCMA"}
	for _, m := range sections[1:] {
		for _, line := range []string{"a=setup:actpass", "a=rtcp-mux", "a=rtcp-mux-only", "a=recvonly"} {
			if !strings.Contains(m+"\r\n", "\r\n"+line+"\r\n") {
				t.Errorf("no %s in %q", line, m)
			}
		}
		kind, _, _ := strings.Cut(m, " ")
		for codec := range strings.FieldsSeq(codecs[kind]) {
			if !strings.Contains(m, " "+codec+"/") {
				t.Errorf("%s is not offered in %q", codec, m)
			}
		}
		delete(codecs, kind)
	}
	if len(codecs) > 0 {
		t.Errorf("nothing is offered of %v", codecs)
	}
	if !strings.Contains(strings.Join(sections, ""), "a=ice-options:trickle ice2\r\n") {
		t.Error("no ice-options: trickle ice2")
	}
}

// C6, C8: the STUN server of the answer's Link is asked, and what it says of our address goes to the server in one
// PATCH.
func TestLateCandidates(t *testing.T) {
	s := serve(t)
	s.links = []string{"<stun:" + stunServer(t) + `>; rel="ice-server"`}
	p := start(t, newSource(t, s))
	p.until(t, "both tracks", p.carries(media.VP8, media.Opus))
	select {
	case text := <-s.fragments:
		f, err := negotiation.ParseFragment(text)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Candidates) == 0 || !f.EndOfCandidates || f.ICEUfrag == "" {
			t.Errorf("the fragment is %q", text)
		}
		for _, c := range f.Candidates {
			if !strings.Contains(c.Value, " "+mapped+" ") || !strings.Contains(c.Value, " typ srflx") {
				t.Errorf("a candidate is %q", c.Value)
			}
		}
	case <-time.After(patience):
		t.Fatal("no candidates come")
	}
}

// C14: a viewer's wish for a keyframe reaches the server, and many wishes are one.
func TestKeyframeWishes(t *testing.T) {
	s := serve(t)
	p := start(t, newSource(t, s))
	p.until(t, "both tracks", p.carries(media.VP8, media.Opus))
	for range 100 {
		p.stream.RequestKeyframe(media.MainRendition)
	}
	select {
	case <-s.wishes:
	case <-time.After(patience):
		t.Fatal("no wish reaches the server")
	}
	p.until(t, "the wish counted", func() bool { return p.source.Stats().Keyframes > 0 })
	if n := p.source.Stats().Keyframes; n > 5 { // another one each half a second, should no picture come
		t.Errorf("%d wishes were sent, want 1", n)
	}
}

// A track that begins late is published with the others once it does, and those are not kept waiting for it.
func TestLateTrack(t *testing.T) {
	s := serve(t)
	s.noSound.Store(true)
	source := newSource(t, s)
	source.times.tracks = 200 * time.Millisecond
	p := start(t, source)
	p.until(t, "the picture", p.carries(media.VP8))
	s.noSound.Store(false)
	p.until(t, "the sound as well", p.carries(media.VP8, media.Opus))
	p.until(t, "wishes for keyframes", func() bool {
		p.stream.RequestKeyframe(media.MainRendition)
		return p.source.Stats().Keyframes >= 2
	})
	if n := p.publications.Load(); n != 2 {
		t.Errorf("published %d times, want twice", n)
	}
}

// C7: when media stay away ICE is restarted, and when they come back all goes on in the same session.
func TestRestart(t *testing.T) {
	s := serve(t)
	source := newSource(t, s)
	source.times.doubt = 300 * time.Millisecond
	p := start(t, source)
	for round := range int32(2) {
		p.until(t, "both tracks", p.carries(media.VP8, media.Opus))
		s.noPictures.Store(true)
		s.noSound.Store(true)
		p.until(t, "a restart", func() bool { return s.restarts.Load() > round })
		before := p.source.Stats().Packets
		s.noPictures.Store(false)
		s.noSound.Store(false)
		p.until(t, "media again", func() bool { return p.source.Stats().Packets > before+20 })
	}
	if posts, publications := s.posts.Load(), p.publications.Load(); posts != 1 || publications != 1 {
		t.Errorf("%d sessions, %d publications, want one of each", posts, publications)
	}
}

// C7: a server that does not restart ICE is asked for a new session.
func TestRestartRefused(t *testing.T) {
	s := serve(t)
	s.first = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			w.WriteHeader(http.StatusForbidden)
		}
		return r.Method == http.MethodPatch
	}
	source := newSource(t, s)
	source.times.doubt = 3 * time.Second // long enough for a machine that stands still while media still come
	p := start(t, source)
	p.until(t, "both tracks", p.carries(media.VP8, media.Opus))
	s.noPictures.Store(true)
	s.noSound.Store(true)
	if err := p.end(t); !errors.As(err, new(*call.RestartError)) || ingest.IsPermanent(err) {
		t.Errorf("ended with %v", err)
	}
	if n := s.deletes.Load(); n != 1 {
		t.Errorf("%d DELETE, want 1", n)
	}
}

// C12: a session without media ends, so that the supervisor makes another.
func TestSilence(t *testing.T) {
	for name, began := range map[string]bool{"never any": false, "no more": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.noPictures.Store(!began)
			s.noSound.Store(!began)
			source := newSource(t, s)
			source.times.silence = 3 * time.Second // long enough for a machine that stands still while media still come
			p := start(t, source)
			if began {
				p.until(t, "both tracks", p.carries(media.VP8, media.Opus))
				s.noPictures.Store(true)
				s.noSound.Store(true)
			}
			err := p.end(t)
			var silence *SilenceError
			if !errors.As(err, &silence) || silence.Began != began || ingest.IsPermanent(err) || !strings.Contains(err.Error(), s.URL) {
				t.Errorf("ended with %v", err)
			}
			if n := s.deletes.Load(); n != 1 {
				t.Errorf("%d DELETE, want 1", n)
			}
		})
	}
}

// A server that leaves ends the session.
func TestServerLeaves(t *testing.T) {
	s := serve(t)
	p := start(t, newSource(t, s))
	p.until(t, "both tracks", p.carries(media.VP8, media.Opus))
	s.viewer().Close()
	if err := p.end(t); ingest.IsPermanent(err) {
		t.Errorf("ended with %v", err)
	}
}

// Somebody else who publishes ends the session.
func TestBusyStream(t *testing.T) {
	s := serve(t)
	stream, err := hub.New(hub.Options{}).Create("camera")
	if err != nil {
		t.Fatal(err)
	}
	other, err := stream.Publish(media.MainRendition, []media.Track{vp8})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = newSource(t, s).Run(t.Context(), func(tracks []media.Track) (*hub.Publisher, error) {
		return stream.Publish(media.MainRendition, tracks)
	})
	if !errors.As(err, new(*hub.RenditionBusyError)) {
		t.Errorf("ended with %v", err)
	}
}

// C10, C1: what the server says decides whether it is asked again soon.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status    int
		sdp       string // "": none
		permanent bool
		deletes   int32
	}{
		"a wrong token":              {401, "", true, 0},
		"not allowed":                {403, "", true, 0},
		"no such stream":             {404, "", false, 0},
		"no source":                  {409, "", false, 0},
		"too many":                   {429, "", false, 0},
		"codecs":                     {422, "", true, 0},
		"broken":                     {500, "", false, 0},
		"an answer to nothing":       {201, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", false, 1},
		"an offer of nothing":        {406, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", true, 1},
		"an offer that is no SDP":    {406, "hello", false, 1},
		"an offer of unknown codecs": {406, unknownCodec, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.first = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					w.Header().Set("Content-Type", "application/sdp")
					w.Header().Set("Location", "/session")
					w.WriteHeader(c.status)
					_, _ = io.WriteString(w, c.sdp)
				}
				return true
			}
			err := start(t, newSource(t, s)).end(t)
			if ingest.IsPermanent(err) != c.permanent {
				t.Errorf("permanent is %v: %v", ingest.IsPermanent(err), err)
			}
			if strings.Contains(err.Error(), "/live") || !strings.Contains(err.Error(), s.URL) {
				t.Errorf("the error is %v", err)
			}
			if n := s.deletes.Load(); n != c.deletes {
				t.Errorf("%d DELETE, want %d", n, c.deletes)
			}
		})
	}
}

const unknownCodec = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=setup:actpass\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\na=rtpmap:96 theora/90000\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"

// C10: a server that asks to be left alone is, whoever runs the source again.
func TestRetryAfter(t *testing.T) {
	s := serve(t)
	s.first = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "40")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	source := newSource(t, s)
	err := start(t, source).end(t)
	left := time.Until(source.notBefore)
	if left < 35*time.Second || left > 40*time.Second || client.RetryAfter(err) != 40*time.Second {
		t.Errorf("left alone for %v: %v", left, err)
	}
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			pause, patience, want time.Duration
		}{
			"waited for": {40 * time.Second, time.Minute, 40 * time.Second},
			"told":       {40 * time.Second, time.Second, time.Second},
			"long over":  {-time.Second, time.Minute, 0},
		} {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), c.patience)
			err := (&Source{notBefore: began.Add(c.pause)}).leaveAlone(ctx)
			cancel()
			if d := time.Since(began); d != c.want || (err != nil) != (d < c.pause) {
				t.Errorf("%s: it took %v (%v), want %v", name, d, err, c.want)
			}
		}
	})
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	for name, url := range map[string]string{"nothing": "", "another scheme": "rtsp://h/x", "WHIP": "whip://h/x", "userinfo": "whep://a:b@h/x"} {
		if _, err := New(Options{URL: url}); err == nil {
			t.Errorf("%s is no fault", name)
		}
	}
}
