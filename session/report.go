package session

import (
	"errors"
	"time"

	"sluice/negotiation"
)

// undecodable is what is told of a viewer that is not passed the picture as it is any more.
const undecodable = "The viewer's decoder could not show the stream as it is."

// reportsPerMinute is how often a viewer may say that it can't decode. One report is enough.
const reportsPerMinute = 10

// TakesReports tells that the viewer is passed a picture whose profile it has not offered, and that another could be
// made for it: then a report that it can't decode the picture has an effect (F40).
func (s *Session) TakesReports() bool {
	v := s.viewer
	if v == nil || s.stay.terms.Maker == nil {
		return false
	}
	v.mu.Lock()
	lenient := v.now.isLenient()
	v.mu.Unlock()
	if !lenient {
		return false
	}
	_, err := s.stay.serve(s.stay.bases(playableOf(s.stay.stream.Renditions()), undecodable), v.fit.serve)
	return err == nil || errors.As(err, new(*negotiation.CapacityError))
}

// ReportUndecodable says that the viewer gets pictures and can decode none. Where TakesReports is false it has no
// effect. Every error is a *Refusal: ReasonTooMany, ReasonGone, or ReasonLayer for a publisher's session.
func (s *Session) ReportUndecodable() error {
	v := s.viewer
	switch {
	case s.hasEnded():
		return errGone()
	case v == nil:
		return refuse(ReasonLayer, "the session is a publisher's, which is sent no picture")
	}
	v.mu.Lock()
	wait, ok := v.reports.allow(time.Now())
	v.reported = v.reported || ok
	v.mu.Unlock()
	if !ok {
		return tooOften("the session takes %d reports a minute", reportsPerMinute, wait)
	}
	v.lookAgain()
	return nil
}

// takeReport believes a viewer that reports, once it has been sent what could be decoded.
func (w *watch) takeReport() {
	w.mu.Lock()
	reported := w.reported
	w.reported = false
	w.mu.Unlock()
	if reported && w.doubtful() && w.sender.Stats().Keyframes > 0 {
		w.giveUp("its report")
	}
}

// giveUp passes the viewer no picture as it is any more, as soon as another can be made.
func (w *watch) giveUp(sign string) {
	w.unable = undecodable
	w.session.log.Info("viewer can't decode what is passed on", "rendition", w.now.rendition, "sign", sign)
}
