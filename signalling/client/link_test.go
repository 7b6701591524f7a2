package client

import (
	"reflect"
	"strings"
	"testing"
)

const turn = "turn:turn.example.net:3478?transport=udp"

// C8
func TestLinks(t *testing.T) {
	full := []ICEServer{{URLs: []string{turn}, Username: "user", Credential: "myPassword"}}
	for name, c := range map[string]struct {
		lines []string
		want  []ICEServer
	}{
		"one":                     {[]string{`<stun:stun.example.net>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:stun.example.net"}}}},
		"with credentials":        {[]string{`<` + turn + `>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"`}, full},
		"any order":               {[]string{`<` + turn + `>; credential="myPassword"; username="user"; rel="ice-server"`}, full},
		"tokens":                  {[]string{`<` + turn + `>;rel=ice-server;username=user;credential=myPassword`}, full},
		"blanks":                  {[]string{` < ` + turn + `> ;  rel = "ice-server" ;	username = user ; credential="myPassword" `}, full},
		"names in capitals":       {[]string{`<` + turn + `>; REL="Ice-Server"; UserName=user; CREDENTIAL=myPassword`}, full},
		"padded base64, unquoted": {[]string{`<turns:t>; rel=ice-server; username=1:u; credential=a+/b==`}, []ICEServer{{URLs: []string{"turns:t"}, Username: "1:u", Credential: "a+/b=="}}},
		"escapes":                 {[]string{`<turn:t>; rel="ice-server"; username="a\"b\\c"; credential="x,y;z>"`}, []ICEServer{{URLs: []string{"turn:t"}, Username: `a"b\c`, Credential: "x,y;z>"}}},
		"several in a line":       {[]string{`<stun:a>; rel="ice-server", <stun:b>; rel="ice-server",<stun:c>;rel=ice-server`}, []ICEServer{{URLs: []string{"stun:a"}}, {URLs: []string{"stun:b"}}, {URLs: []string{"stun:c"}}}},
		"several lines":           {[]string{`<stun:a>; rel="ice-server"`, `<stun:b>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:a"}}, {URLs: []string{"stun:b"}}}},
		"comma inside brackets":   {[]string{`<stun:a,b;c>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:a,b;c"}}}},
		"unknown relation":        {[]string{`</style.css>; rel=preload; as=style, <stun:a>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:a"}}}},
		"extensions":              {[]string{`<https://h/sse/1>; rel="urn:ietf:params:whep:ext:core:server-sent-events"; events="active,layers", <stun:a>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:a"}}}}, // D45
		"several relations":       {[]string{`<stun:a>; rel="x ice-server y"`}, []ICEServer{{URLs: []string{"stun:a"}}}},
		"first relation counts":   {[]string{`<stun:a>; rel=next; rel=ice-server`}, nil},
		"another credential type": {[]string{`<turn:a>; rel="ice-server"; credential-type="oauth"`}, nil},
		"another scheme":          {[]string{`<http://a/>; rel="ice-server"`}, nil},
		"TURN, no credentials":    {[]string{`<turn:a>; rel="ice-server", <turn:b>; rel="ice-server"; username=u, <stun:c>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:c"}}}},
		"broken URLs":             {[]string{`<stun:>; rel=ice-server, <stun:a:0>; rel=ice-server, <stun:a:x>; rel=ice-server, <stun:a:b:c>; rel=ice-server, <stun://a>; rel=ice-server, <stun:[::1]:99999>; rel=ice-server`}, nil},
		"queries":                 {[]string{`<stun:a?transport=udp>; rel=ice-server, <turn:a?transport=sctp>; rel=ice-server; username=u; credential=p`}, nil},
		"IPv6":                    {[]string{`<stun:[2001:db8::1]>; rel=ice-server, <stun:[2001:db8::1]:3479>; rel=ice-server`}, []ICEServer{{URLs: []string{"stun:[2001:db8::1]"}}, {URLs: []string{"stun:[2001:db8::1]:3479"}}}},
		"no target":               {[]string{`rel="ice-server", <stun:b>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:b"}}}},
		"no closing bracket":      {[]string{`<stun:a; rel="ice-server"`}, nil},
		"no closing quote":        {[]string{`<stun:a>; rel="ice-server"; username="abc`}, []ICEServer{{URLs: []string{"stun:a"}, Username: "abc"}}},
		"junk after a value":      {[]string{`<stun:a>; rel="ice-server" junk "a,b", <stun:b>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:a"}}, {URLs: []string{"stun:b"}}}},
		"parameter without value": {[]string{`<stun:a>; crossorigin; rel="ice-server"; ;`}, []ICEServer{{URLs: []string{"stun:a"}}}},
		"twice the same":          {[]string{`<stun:a>; rel="ice-server", <stun:a>; rel="ice-server"`}, []ICEServer{{URLs: []string{"stun:a"}}}},
		"nothing":                 {[]string{"", ",,,", "<>", ";"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := iceServers(parseLinks(c.lines)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("servers are %+v, want %+v", got, c.want)
			}
		})
	}
}

// C8: a server can't make us send to any number of places.
func TestICEServersAreBounded(t *testing.T) {
	var lines []string
	for i := range 500 {
		lines = append(lines, `<stun:h`+strings.Repeat("x", i)+`>; rel="ice-server"`)
	}
	if n := len(iceServers(parseLinks(lines))); n != maxICEServers {
		t.Errorf("%d servers, want %d", n, maxICEServers)
	}
}

func FuzzLink(f *testing.F) {
	for _, s := range []string{
		`<` + turn + `>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"`,
		`<stun:a>; rel=ice-server, <b>; rel="x y"; a="\"`, `<`, `<>;=;"`, `<stun:a>;rel="ice-server" junk "a,b", <stun:b>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		links := parseLinks([]string{line})
		if len(links) > maxLinks {
			t.Errorf("%d links", len(links))
		}
		for _, l := range links {
			if !strings.Contains(line, l.target) || l.parameters == nil {
				t.Errorf("%q gives %+v", line, l)
			}
		}
		for _, s := range iceServers(links) {
			if !s.usable() {
				t.Errorf("%q gives %+v", line, s)
			}
		}
	})
}
