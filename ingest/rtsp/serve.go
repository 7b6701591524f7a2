package rtsp

// redirect is where the camera sends us.
type redirect struct{ location string }

func (e *redirect) Error() string { return "the camera redirects" }

// serve answers a request of the camera; the engine sees none of them. An error is why the session ends.
func (c *conn) serve(m *message) error {
	status := "200 OK"
	var end error
	switch m.method() {
	case "OPTIONS", "GET_PARAMETER", "SET_PARAMETER":
	case "ANNOUNCE":
		end = &EndedError{Reason: "announced that its tracks have changed"}
	case "REDIRECT":
		end = &EndedError{Reason: "asked to connect again"}
		if location := m.header.value("Location"); location != "" {
			end = &redirect{location}
		}
	case "TEARDOWN":
		end = &EndedError{Reason: "ended the session"}
	default:
		status = "405 Method Not Allowed"
	}
	h := header{{"CSeq", m.header.value("CSeq")}, {"User-Agent", userAgent}}
	if session := m.header.value("Session"); session != "" {
		h = append(h, field{"Session", session})
	}
	if err := c.transmit((&message{start: "RTSP/1.0 " + status, header: h}).marshal()); err != nil {
		return err
	}
	return end
}
