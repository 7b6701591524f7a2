package transcode

import "sluice/media"

// key names a job of a stream: there is never more than one for a key.
type key struct {
	source string // the rendition that is read
	kind   media.Kind
	codec  media.Codec

	// Of a picture: what the configuration says of the rendition; 0: as the source has it.
	height, fps, kbps int
}

func (k key) product() product { return product{kind: k.kind, codec: k.codec} }

// order is what a derived rendition is put together of. Kinds that neither key names are passed on.
type order struct {
	name   string
	source string // the rendition that is read
	video  key    // zero: passed on
	audio  key    // likewise
}

func (o order) keys() []key {
	var all []key
	for _, k := range []key{o.video, o.audio} {
		if k != (key{}) {
			all = append(all, k)
		}
	}
	return all
}

// makes reports whether a kind is made anew.
func (o order) makes(kind media.Kind) bool {
	if kind == media.Video {
		return o.video != key{}
	}
	return o.audio != key{}
}

// order says how a derived rendition is made. It reports false if nobody publishes what it is made of, or if that has
// nothing that would have to be made.
func (t *Stream) order(name string) (order, bool) {
	d, ok := media.ParseDerived(name)
	if !ok {
		return order{}, false
	}
	o := order{name: name, source: t.sourceOf(d.Base)}
	tracks := t.hub.Tracks(o.source)
	if _, has := media.First(tracks, media.Video); has && d.Video != "" {
		o.video = t.videoKey(d.Base, o.source, d.Video)
	}
	if _, has := media.First(tracks, media.Audio); has && d.Audio != "" {
		o.audio = audioKey(o.source, d.Audio)
	}
	return o, tracks != nil && len(o.keys()) > 0
}

func audioKey(source string, codec media.Codec) key {
	return key{source: source, kind: media.Audio, codec: codec}
}

// videoKey is the job that makes the picture of a base.
func (t *Stream) videoKey(base, source string, codec media.Codec) key {
	k := key{source: source, kind: media.Video, codec: codec}
	if r, ok := t.configured(base); ok {
		k.height, k.fps, k.kbps = r.Height, r.FPS, r.MaxBitrateKbps
	}
	return k
}

// sourceOf is the rendition that a base is made of: itself if the source publishes it, and for a rendition of the
// configuration the main one, or the best if there is no main one.
func (t *Stream) sourceOf(base string) string {
	if _, ok := t.configured(base); !ok {
		return base
	}
	return t.best()
}

// isFirst reports whether a track is the one of its kind that viewers get.
func (t *Stream) isFirst(rendition string, track *media.Track) bool {
	first, ok := media.First(t.hub.Tracks(rendition), track.Kind)
	return !ok || first.ID == track.ID
}

// best is the rendition that the source means to be seen: the main one, or the best of several.
func (t *Stream) best() string {
	if t.hub.Tracks(media.MainRendition) != nil {
		return media.MainRendition
	}
	if all := t.hub.Renditions(); len(all) > 0 {
		return all[0].Name
	}
	return media.MainRendition
}

// makes is the rendition of the configuration that a job makes, the first if there are several such; "" for none.
func (t *Stream) makes(k key) string {
	for _, r := range t.options.Renditions {
		if k.kind == media.Video && k == t.videoKey(r.Name, k.source, k.codec) {
			return r.Name
		}
	}
	return ""
}

// configured finds a rendition of the configuration.
func (t *Stream) configured(name string) (Rendition, bool) {
	for _, r := range t.options.Renditions {
		if r.Name == name {
			return r, true
		}
	}
	return Rendition{}, false
}
