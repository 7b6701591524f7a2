package gateway

import (
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"sluice/config"
	"sluice/session"
)

// pulledFrom is a stream that is always pulled.
func pulledFrom(url string) config.Stream { return config.Stream{Source: url} }

// altered changes a copy of the streams and puts it into force; it returns why the sessions of which streams ended.
func (l *library) altered(t *testing.T, change func(streams map[string]config.Stream)) map[string]error {
	t.Helper()
	c := l.catalogue.config
	c.Streams = maps.Clone(c.Streams)
	change(c.Streams)
	ended := make(map[string]error)
	if err := l.alter(c, func(stream string, why error) { ended[stream] = why }); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return ended
}

// A new configuration touches the streams that it changes and no others.
func TestAlter(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		l.altered(t, func(s map[string]config.Stream) {
			s["same"], s["other"], s["gone"] = pulledFrom("rtsp://192.0.2.1/a"), pulledFrom("rtsp://192.0.2.1/b"), pulledFrom("rtsp://192.0.2.1/c")
		})
		same, _ := l.find(t, "same")
		other, terms := l.find(t, "other")
		bred, held := l.find(t, "pub1")
		before, _ := l.entry("same")
		ended := l.altered(t, func(s map[string]config.Stream) {
			s["other"] = pulledFrom("rtsp://192.0.2.2/")
			s["fresh"] = pulledFrom("rtsp://192.0.2.3/")
			delete(s, "gone")
		})
		if len(ended) != 1 || !errors.Is(ended["gone"], session.ErrStreamRemoved) {
			t.Errorf("ended: %v", ended)
		}
		if after, _ := l.entry("same"); after != before {
			t.Error("a stream that has not changed was begun anew")
		}
		for name, want := range map[string]any{"same": same, "other": other, "pub1": bred} {
			if s, err := l.hub.Stream(name); err != nil || s != want {
				t.Errorf("%s: the viewers' stream is another, or none: %v", name, err)
			}
		}
		if e, _ := l.entry("other"); e.config.Source != "rtsp://192.0.2.2/" || !l.has("fresh") || l.has("gone") {
			t.Error("the streams are not those of the new configuration")
		}
		terms.Release()
		held.Release()
		time.Sleep(2 * sweepInterval)
		if bred, _ := l.count(); bred != 0 {
			t.Errorf("%d streams of patterns", bred)
		}
	})
}

// Sessions end where what they hold on to has changed, with the wish that they come again.
func TestAlterEndsSessions(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		ended := l.altered(t, func(s map[string]config.Stream) { s["solo"] = pulledFrom("rtsp://192.0.2.1/") })
		if !errors.As(ended["solo"], new(*session.SourceChangedError)) {
			t.Errorf("from publishers to a camera: %v", ended)
		}
		ended = l.altered(t, func(s map[string]config.Stream) {
			solo := s["solo"]
			solo.Process = "videoflip"
			s["solo"] = solo
		})
		if !errors.As(ended["solo"], new(*session.SourceChangedError)) {
			t.Errorf("another process: %v", ended)
		}
	})
}

// What a session was promised before a reload is of the past exactly if the sessions end that there are: none begins on
// it that nobody ends.
func TestAlterEndsTerms(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		camera := func(n string) config.Stream { return pulledFrom("rtsp://192.0.2.1/" + n) }
		l.altered(t, func(s map[string]config.Stream) {
			s["same"], s["moved"], s["gone"], s["camera"] = camera("1"), camera("2"), camera("3"), config.Stream{Source: config.PublishSource}
		})
		before := make(map[string]session.Terms)
		for _, name := range []string{"same", "moved", "gone", "camera", "pub1"} {
			_, before[name] = l.find(t, name)
		}
		ended := l.altered(t, func(s map[string]config.Stream) {
			delete(s, "gone")
			s["moved"], s["camera"] = camera("5"), camera("6")
		})
		for name, terms := range before {
			if why := ended[name]; isClosed(terms.Past) != (why != nil) {
				t.Errorf("%s: of the past: %t, ended: %v", name, isClosed(terms.Past), why)
			}
			terms.Release()
		}
		if len(ended) != 2 {
			t.Errorf("ended: %v", ended)
		}
		l.altered(t, func(s map[string]config.Stream) { delete(s, "moved") })
		if !isClosed(before["moved"].Past) {
			t.Error("the terms of two configurations ago hold for a stream that is gone")
		}
		if _, now := l.find(t, "camera"); isClosed(now.Past) || now.Publish {
			t.Error("new terms are of the past")
		}
	})
}

// A stream of a pattern becomes one of the configuration's own, and the other way round, under its viewers.
func TestAlterPattern(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		s, terms := l.find(t, "pub1")
		defer terms.Release()
		l.altered(t, func(streams map[string]config.Stream) { streams["pub1"] = streams["pub*"] })
		if bred, _ := l.count(); bred != 0 || !l.has("pub1") {
			t.Errorf("%d streams of patterns", bred)
		}
		l.altered(t, func(streams map[string]config.Stream) { delete(streams, "pub1") })
		if again, _ := l.hub.Stream("pub1"); again != s {
			t.Error("the stream is another one")
		}
		if bred, _ := l.count(); bred != 1 {
			t.Errorf("%d streams of patterns", bred)
		}
	})
}

// A configuration with a stream that can't be made changes nothing.
func TestAlterIsAllOrNothing(t *testing.T) {
	inLibrary(t, func(t *testing.T, l *library) {
		c := l.catalogue.config
		c.Streams = maps.Clone(c.Streams)
		c.Streams["aa"], c.Streams["bad"] = pulledFrom("rtsp://192.0.2.1/"), config.Stream{Source: "bad"}
		delete(c.Streams, "solo")
		err := l.alter(c, func(string, error) { t.Error("a session was ended") })
		if err == nil || !l.has("solo") || l.has("aa") || l.has("bad") {
			t.Errorf("%v", err)
		}
		if streams := l.hub.Streams(); len(streams) != 1 {
			t.Errorf("%d streams are left in the hub", len(streams))
		}
	})
}
