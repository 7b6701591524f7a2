package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/transport"
)

const (
	same     = "a=ice-ufrag:ours\r\na=ice-pwd:0123456789abcdefghijkl\r\n"
	restart1 = "a=ice-ufrag:next\r\na=ice-pwd:abcdefghijkl0123456789\r\n"
	restart2 = "a=ice-ufrag:then\r\na=ice-pwd:9876543210abcdefghijkl\r\n"
	section  = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
)

// host is a candidate, the nth of a test.
func host(n int) string {
	return fmt.Sprintf("%d 1 udp 2130706431 192.0.2.%d %d typ host", n, n%256, 1000+n)
}

func candidate(n int) string { return "a=candidate:" + host(n) + "\r\n" }

// A71 to A78, J70 to J75: what a fragment does, by the generation that the request names.
func TestPatch(t *testing.T) {
	for name, c := range map[string]struct {
		generation Generation // 1 is the present one
		strict     bool
		fragment   string
		want       Reason
		added      []string
		restarts   int
	}{
		"A71: trickle":                        {1, false, same + section + candidate(1) + candidate(2), "", []string{host(1), host(2)}, 0},
		"A71: the end alone":                  {1, false, same + section + "a=end-of-candidates\r\n", "", nil, 0},
		"A72: stale":                          {7, false, same + section + candidate(1), ReasonStaleGeneration, nil, 0},
		"A72: unsaid, by ufrag":               {GenerationUnsaid, false, same + section + candidate(1), "", []string{host(1)}, 0},
		"A72: unsaid, another ufrag":          {GenerationUnsaid, false, restart1 + section + candidate(1), ReasonGenerationUnsaid, nil, 0},
		"A72: unsaid, strict":                 {GenerationUnsaid, true, same + section + candidate(1), ReasonGenerationUnsaid, nil, 0},
		"A73: any, trickle":                   {GenerationAny, true, same + section + candidate(1), "", []string{host(1)}, 0},
		"A73: any, restart":                   {GenerationAny, true, restart1 + section + candidate(1), "", nil, 1},
		"A73: the present one, restart":       {1, false, restart1 + section + candidate(1), "", nil, 1},
		"A74: only the ufrag is new":          {GenerationAny, false, "a=ice-ufrag:next\r\na=ice-pwd:0123456789abcdefghijkl\r\n" + section, ReasonMalformedFragment, nil, 0},
		"A74: only a new ufrag":               {1, false, "a=ice-ufrag:next\r\n" + section, ReasonMalformedFragment, nil, 0},
		"J72: only the password is new":       {1, false, "a=ice-ufrag:ours\r\na=ice-pwd:abcdefghijkl0123456789\r\n" + section, ReasonMalformedFragment, nil, 0},
		"J72: only a new password":            {1, false, "a=ice-pwd:abcdefghijkl0123456789\r\n" + section, ReasonMalformedFragment, nil, 0},
		"A77: credentials in the section":     {1, false, section + same + candidate(1), "", []string{host(1)}, 0},
		"A77: twice the same":                 {1, false, same + section + candidate(1) + candidate(1), "", []string{host(1)}, 0},
		"A78: no mid":                         {1, false, same + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" + candidate(1), "", []string{host(1)}, 0},
		"A78, J75: an unknown mid":            {1, false, same + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:x\r\n" + candidate(1) + section + candidate(2), "", []string{host(2)}, 0},
		"J70: empty":                          {1, false, "", ReasonMalformedFragment, nil, 0},
		"J71: no credentials, present":        {1, false, section + candidate(1), "", []string{host(1)}, 0},
		"J71: no credentials, unsaid":         {GenerationUnsaid, false, section + candidate(1), ReasonMalformedFragment, nil, 0},
		"J71: no credentials, any":            {GenerationAny, false, section + candidate(1), ReasonMalformedFragment, nil, 0},
		"J71: no credentials, unsaid, strict": {GenerationUnsaid, true, section + candidate(1), ReasonGenerationUnsaid, nil, 0},
		"J73: an m-line without a port":       {1, false, same + "m=audio RTP/AVP 0\r\na=mid:0\r\n" + candidate(1), "", []string{host(1)}, 0},
		"too large":                           {1, false, same + strings.Repeat("a=x\r\n", 4000), ReasonFragmentTooLarge, nil, 0},
		"the candidate of another generation": {1, false, same + section + "a=candidate:" + host(1) + " ufrag old\r\n", "", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, Terms{}, Options{StrictPreconditions: c.strict}, func(b *bench) {
				b.source("main", picture)
				s, link := b.play(PlayRequest{})
				answer, err := s.Patch(c.fragment, c.generation)
				if reasonOf(err) != c.want || !slices.Equal(link.candidates, c.added) || link.restarts != c.restarts {
					t.Errorf("%v, want %s; candidates %q; %d restarts", err, c.want, link.candidates, link.restarts)
				}
				if restarted := strings.Contains(answer, "a=ice-ufrag:gateway\r\n"); restarted != (c.restarts > 0) || !restarted && answer != "" {
					t.Errorf("answered %q", answer)
				}
				if g := s.Generation(); g != Generation(1+c.restarts) {
					t.Errorf("generation %d", g)
				}
			})
		})
	}
}

// A73, A75, J80, J82: after a restart the old generation is stale, and its credentials are; after the end of the candidates there are none.
func TestPatchAfterRestart(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture)
		s, link := b.play(PlayRequest{})
		steps := []struct {
			fragment   string
			generation Generation
			want       Reason
		}{
			{same + section + candidate(1), 1, ""},
			{restart1 + section + candidate(1) + candidate(2), GenerationAny, ""},
			{restart1 + section + candidate(1), 1, ReasonStaleGeneration},
			{same + section + candidate(3), GenerationUnsaid, ReasonGenerationUnsaid},
			{same + section + candidate(3), GenerationAny, ReasonStaleGeneration},
			{restart1 + section + candidate(2) + candidate(4), GenerationUnsaid, ""},
			{section + candidate(5) + "a=end-of-candidates\r\n", 2, ""},
			{section + candidate(6), 2, ""}, // J82
			{restart2 + section, 2, ""},
			{section + candidate(7), 3, ""},
		}
		for i, step := range steps {
			if _, err := s.Patch(step.fragment, step.generation); reasonOf(err) != step.want {
				t.Errorf("step %d: %v, want %s", i, err, step.want)
			}
		}
		if want := []string{host(1), host(4), host(5), host(7)}; !slices.Equal(link.candidates, want) || link.restarts != 2 {
			t.Errorf("%d restarts, candidates %q, want %q", link.restarts, link.candidates, want)
		}
	})
}

// A74: a restart that fails leaves everything as it was.
func TestRestartFails(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture)
		s, link := b.play(PlayRequest{})
		link.restartErr = errors.New("still gathering")
		if _, err := s.Patch(restart1+section, GenerationAny); reasonOf(err) != ReasonInternal || isDone(s) {
			t.Errorf("%v", err)
		}
		if _, err := s.Patch(same+section+candidate(1), 1); err != nil || len(link.candidates) != 1 {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// A83, J76, J77: the limits of requests, candidates and restarts.
func TestPatchLimits(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture)
		s, link := b.play(PlayRequest{})
		link.connect()
		refused := 0
		for range 5000 {
			_, err := s.Patch(same+section+candidate(1), 1)
			if reasonOf(err) == ReasonTooMany && refusalOf(err).RetryAfter > 0 {
				refused++
			}
		}
		if refused != 4980 || len(link.candidates) != 1 {
			t.Errorf("%d refused, %d candidates", refused, len(link.candidates))
		}
		for i := range 15 {
			time.Sleep(time.Second)
			lines := ""
			for n := range 10 {
				lines += candidate(2 + 10*i + n)
			}
			if _, err := s.Patch(same+section+lines, 1); err != nil {
				t.Error(err)
			}
		}
		if len(link.candidates) != 100 {
			t.Errorf("%d candidates", len(link.candidates))
		}
		restart := func(n int) error {
			_, err := s.Patch(fmt.Sprintf("a=ice-ufrag:next%d\r\na=ice-pwd:abcdefghijkl0123456789%d\r\n%s", n, n, section), GenerationAny)
			time.Sleep(100 * time.Millisecond)
			return err
		}
		for n := range 100 {
			if err := restart(n); (reasonOf(err) == ReasonTooMany) != (n >= 5) {
				t.Errorf("restart %d: %v", n, err)
			}
		}
		if time.Sleep(time.Minute); restart(100) != nil || link.restarts != 6 || s.Generation() != 7 || isDone(s) {
			t.Errorf("a minute later: %d restarts, generation %d", link.restarts, s.Generation())
		}
	})
}

// J78, J79: a session that is over, or whose connection has failed, is gone.
func TestPatchOfTheGone(t *testing.T) {
	for name, end := range map[string]func(*Session, *fakeSender){
		"closed":                  func(s *Session, _ *fakeSender) { s.Close() },
		"failed":                  func(_ *Session, l *fakeSender) { l.lose(&transport.UnreachableError{}) },
		"closed during a restart": func(s *Session, l *fakeSender) { l.onRestart = func() { s.end(ErrDeleted) } },
		"closed during one that fails": func(s *Session, l *fakeSender) {
			l.onRestart, l.restartErr = func() { s.end(ErrDeleted) }, errors.New("closed")
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, Terms{}, Options{}, func(b *bench) {
				b.source("main", picture)
				s, link := b.play(PlayRequest{})
				end(s, link)
				synctest.Wait()
				if _, err := s.Patch(restart1+section, GenerationAny); reasonOf(err) != ReasonGone {
					t.Errorf("%v", err)
				}
				if err := s.Answer("v=0"); reasonOf(err) != ReasonGone {
					t.Errorf("%v", err)
				}
				if err := s.SelectLayer(LayerChoice{}); reasonOf(err) != ReasonGone {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// A82: the end of the candidates before there is a connection is no reason to give up.
func TestEndOfCandidates(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture)
		s, link := b.play(PlayRequest{})
		if _, err := s.Patch(same+section+"a=end-of-candidates\r\n", 1); err != nil {
			t.Error(err)
		}
		time.Sleep(9 * time.Second)
		if isDone(s) {
			t.Fatal("given up")
		}
		link.connect()
		time.Sleep(time.Minute)
		if isDone(s) {
			t.Error("given up later")
		}
	})
}

// J74, J79: mids are any tokens, as GStreamer's are, and a fragment may come before ICE has begun.
func TestPatchOfNamedSections(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture)
		named := strings.NewReplacer("BUNDLE 0 1", "BUNDLE audio1 video0", "a=mid:0", "a=mid:audio1", "a=mid:1", "a=mid:video0")
		s, link := b.play(PlayRequest{Offer: named.Replace(viewerOffer)})
		fragment := same + "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:video0\r\n" + candidate(1)
		if _, err := s.Patch(fragment, 1); err != nil || !slices.Equal(link.candidates, []string{host(1)}) {
			t.Errorf("%v, %q", err, link.candidates)
		}
	})
}
