package gateway

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"sluice/config"
	"sluice/session"
)

var errStreamAltered = errors.New("its configuration has changed")

// alter has the streams be those of another configuration. What is the same in both goes on untouched, viewers
// included. end is called for each stream whose sessions can't go on. It is all or nothing: the error names the
// stream that can't be made.
func (c *catalogue) alter(to config.Config, end func(stream string, why error)) error {
	c.mu.Lock()
	next, err := c.prepare(to)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	ended := c.replace(next, to)
	c.mu.Unlock()
	for name, why := range ended {
		end(name, why)
	}
	return nil
}

// prepare builds the entries of all streams that are new or changed. It needs mu.
func (c *catalogue) prepare(to config.Config) (next []*entry, err error) {
	var created []string
	defer func() {
		if err != nil {
			for _, name := range created {
				_ = c.hub.Remove(name) // nobody has seen it yet
			}
		}
	}()
	for _, name := range c.namesOf(to) {
		s, pattern, ok := to.Lookup(name)
		old := c.entries[name]
		if !ok || old != nil && reflect.DeepEqual(s, old.config) && old.bred == (pattern != "") {
			continue
		}
		e, err := c.successor(name, s, old)
		if err != nil {
			return nil, err
		}
		if old == nil {
			created = append(created, name)
		}
		e.bred = pattern != ""
		if err := c.build(e); err != nil {
			return nil, fmt.Errorf("stream %q: %w", name, err)
		}
		next = append(next, e)
	}
	return next, nil
}

// namesOf are the streams that there are, and those that a configuration names.
func (c *catalogue) namesOf(to config.Config) []string {
	names := slices.Collect(maps.Keys(c.entries))
	for name := range to.Streams {
		if _, ok := c.entries[name]; !ok && !config.IsPattern(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// successor is an entry that follows old, nil if there is none, on the same stream.
func (c *catalogue) successor(name string, s config.Stream, old *entry) (*entry, error) {
	if old == nil {
		stream, err := c.hub.Create(name)
		if err != nil {
			return nil, err
		}
		e := newEntry(name, s, stream)
		e.after = c.ending[name]
		return e, nil
	}
	e := newEntry(name, s, old.stream)
	e.holds, e.after = old.holds, old.over
	if sameToSessions(old.config, s) {
		e.past = old.past
	}
	return e, nil
}

// replace puts entries into force and ends what the configuration has no more. It returns the streams whose sessions
// have to end. It needs mu.
func (c *catalogue) replace(next []*entry, to config.Config) map[string]error {
	c.config = to
	ended := make(map[string]error)
	for name, e := range c.entries {
		if _, _, ok := to.Lookup(name); !ok {
			c.remove(e)
			ended[name] = session.ErrStreamRemoved
		}
	}
	for _, e := range next {
		if old := c.entries[e.name]; old != nil {
			close(old.stop)
			c.bred -= one(old.bred)
			if e.past != old.past {
				close(old.past)
				ended[e.name] = &session.SourceChangedError{Err: errStreamAltered}
			}
		}
		c.bred += one(e.bred)
		c.put(e)
	}
	return ended
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sameToSessions reports whether sessions can go on from one configuration of a stream to another: they wait for the
// new source as for one that comes back, but hold on to what can be made of it, and publishers to their right.
func sameToSessions(a, b config.Stream) bool {
	return a.Transcode == b.Transcode && a.Process == b.Process && reflect.DeepEqual(a.Renditions, b.Renditions) &&
		(a.Source == config.PublishSource) == (b.Source == config.PublishSource)
}
