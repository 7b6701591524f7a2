package gateway

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"sluice/media"
	"sluice/negotiation"
)

// reportWidth is the characters of a line of a report, where sentences are broken.
const reportWidth = 110

// reportProbe writes what was seen of a stream, and what viewers would get of it, for an operator at a terminal.
func reportProbe(w io.Writer, p *probed, viewers []probeViewer) error {
	var b bytes.Buffer
	b.WriteString(p.url + "\n\nTracks\n")
	reportTracks(&b, p)
	b.WriteString("\nHealth\n")
	for _, f := range p.findings() {
		mark := "ok"
		if f.bad {
			mark = "!!"
		}
		b.WriteString(wrap("  "+mark+"  ", f.text))
	}
	b.WriteString("\nWhat viewers get\n")
	reportViewers(&b, p.tracks, viewers)
	_, err := w.Write(b.Bytes())
	return err
}

func reportTracks(w io.Writer, p *probed) {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, t := range p.tracks {
		if t.Skipped != "" {
			continue
		}
		words := []string{string(t.Kind), title(t)}
		if t.Kind == media.Video {
			words = append(words, fmt.Sprintf("%d×%d", t.Width, t.Height))
		} else {
			words = append(words, fmt.Sprintf("%d Hz, %s", t.ClockRate, channelsOf(t)))
		}
		fmt.Fprintln(table, "  "+strings.Join(append(words, p.figures(t)...), "\t"))
	}
	_ = table.Flush() // writes into memory
	for _, t := range p.tracks {
		if t.Skipped != "" {
			fmt.Fprint(w, wrap("  "+string(t.Kind)+"   not carried: ", t.Skipped))
		}
	}
}

// title is the codec of a track with its profile.
func title(t media.Track) string {
	if profile := negotiation.ProfileTitle(t); profile != "" {
		return t.Codec.Title() + " " + profile
	}
	return t.Codec.Title()
}

func channelsOf(t media.Track) string {
	switch t.Channels {
	case 0, 1:
		return "mono"
	case 2:
		return "stereo"
	}
	return fmt.Sprintf("%d channels", t.Channels)
}

// figures are what was measured of a track: frames a second of a picture, and bits a second.
func (p *probed) figures(t media.Track) []string {
	s, ok := p.units[t.ID]
	if !ok {
		return []string{"nothing came"}
	}
	words := []string{""}
	if t.Kind == media.Video {
		words[0] = fmt.Sprintf("%.3g fps", s.rate())
	}
	if bits := s.bits(); bits >= 1e6 {
		return append(words, fmt.Sprintf("%.1f Mbit/s", bits/1e6))
	}
	return append(words, fmt.Sprintf("%.0f kbit/s", s.bits()/1e3))
}

// reportViewers writes a table of what each browser gets, then why.
func reportViewers(w io.Writer, tracks []media.Track, viewers []probeViewer) {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  \t\twithout the transcoder\twith it")
	for _, v := range viewers {
		name := v.name
		for _, kind := range []media.Kind{media.Video, media.Audio} {
			if _, ok := media.First(tracks, kind); !ok {
				continue
			}
			without, with := v.without.cell(kind), v.with.cell(kind)
			if with == without {
				with = "the same"
			}
			word := map[media.Kind]string{media.Video: "picture", media.Audio: "sound"}[kind]
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", name, word, without, with)
			name = ""
		}
	}
	_ = table.Flush() // writes into memory
	for _, r := range gatherReasons(viewers) {
		fmt.Fprint(w, "\n"+wrap("  "+strings.Join(r.names, ", ")+": ", r.text))
	}
}

// sharedReason is a sentence and the viewers that it is true of.
type sharedReason struct {
	text  string
	names []string
}

func gatherReasons(viewers []probeViewer) []sharedReason {
	var all []sharedReason
	for _, v := range viewers {
		for _, text := range v.with.reasons() {
			i := slices.IndexFunc(all, func(r sharedReason) bool { return r.text == text })
			if i < 0 {
				i, all = len(all), append(all, sharedReason{text: text})
			}
			all[i].names = append(all[i].names, v.name)
		}
	}
	return all
}

// wrap breaks a text into lines, of which the first begins with head and the others with as many blanks.
func wrap(head, text string) string {
	var b strings.Builder
	indent := strings.Repeat(" ", min(utf8.RuneCountInString(head), 6))
	line := head
	for i, word := range strings.Fields(text) {
		if i > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > reportWidth {
			b.WriteString(line + "\n")
			line = indent + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
	return b.String()
}

// seconds is a duration as people say it: "0.9 s".
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
