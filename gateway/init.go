package gateway

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"sluice/auth"
	"sluice/config"
)

// firstConfig is what `gateway init` writes: the address to listen on and the hash of the administrator's token go in.
const firstConfig = "# Sluice's configuration, written by `gateway init`. What is not here has its default; docs/reference.md has all keys.\n" + `
[http]
listen = %s   # ":8889": all interfaces; "127.0.0.1:8889": this machine only
#tls = "self-signed"             # HTTPS: browsers give camera and microphone only to secure pages; or tls_cert and tls_key

[webrtc]
listen_udp = "8189"             # a bare port binds where [http] binds
#listen_tcp = "8189"             # for viewers whose network lets no UDP through
#additional_hosts = ["203.0.113.7"]   # public addresses or DNS names, if a NAT stands between the gateway and viewers

[auth]
mode = "internal"               # whoever may do something has a table below, and nobody else may do anything

` + "# The administrator logs in at /login with the token that `gateway init` has printed. Here is only its hash:\n" +
	"# `gateway hash-password --token` makes another, `gateway hash-password` one for a key password.\n" + `[[auth.users]]
name = "admin"
tokens = [%s]
allow = [{ actions = ["publish", "play", "talk", "chat", "file", "ptz", "admin", "metrics"], streams = ["*"] }]

# What anybody may do who reaches the gateway and shows no credentials. Without this table: nothing. Take away the # to
# let everybody watch all streams, or write their names; * stands for any run of characters.
#[[auth.users]]
#name = "anonymous"
#allow = [{ actions = ["play"], streams = ["*"] }]

` + "# TURN, for viewers whose network lets nothing else through. `openssl rand -hex 24` makes a secret.\n" + `#[turn]
#mode = "embedded"
#secret = ""
#relay_address = "203.0.113.7"   # the public address, if a NAT stands before the gateway

[streams.demo]
source = "demo:"                # the built-in test camera

# A camera: user and password are in the URL.
#[streams.front-door]
#source = "rtsp://user:pass@192.0.2.10:554/stream1"

# A stream that somebody publishes by WHIP: OBS, a browser, ffmpeg.
#[streams.studio]
#source = "publish"
`

// InitialConfig returns a commented configuration in which one administrator may do everything and nobody else
// anything, and the administrator's token, of which the text has only the hash. The error is Faults
// of listen, the HOST:PORT of http.listen.
func InitialConfig(listen string) (text, token string, err error) {
	token, hash := auth.NewToken()
	text = fmt.Sprintf(firstConfig, strconv.Quote(listen), strconv.Quote(hash))
	if _, _, err := config.Parse([]byte(text), "", nil); err != nil {
		return "", "", err
	}
	return text, token, nil
}

// LoginURL is the page that logs in by itself with a token of InitialConfig, at a gateway that listens on HOST:PORT; on
// all interfaces it is localhost, as for URL. The token is in the fragment, which no server or proxy gets to see.
func LoginURL(listen, token string) string {
	host, port, _ := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/login#token=" + token
}

// shortPassword is how many characters a password should have at least.
const shortPassword = 12

// PrintPasswordHash writes the hash of a password as one line to stdout, and to stderr what is to be said of it.
func PrintPasswordHash(stdout, stderr io.Writer, password string) error {
	hash, err := auth.HashPassword(password)
	if err != nil {
		return err
	}
	if n := len([]rune(password)); n < shortPassword {
		fmt.Fprintf(stderr, "That password has %d characters, and can be guessed: %d or more are better.\n", n, shortPassword)
	}
	if strings.TrimSpace(password) != password {
		fmt.Fprintln(stderr, "That password begins or ends with space, which is a part of it.")
	}
	_, err = fmt.Fprintln(stdout, hash)
	return err
}

// PrintToken writes a fresh token to stdout and below it its hash, and to stderr what they are for.
func PrintToken(stdout, stderr io.Writer) error {
	fmt.Fprintln(stderr, "A token, which is not shown again, and its hash for the list tokens of a user in config.toml:")
	token, hash := auth.NewToken()
	_, err := fmt.Fprintf(stdout, "%s\n%s\n", token, hash)
	return err
}
