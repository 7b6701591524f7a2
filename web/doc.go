// Package web holds the pages that the gateway serves to browsers, and the scripts, styles and pictures they
// use, all embedded: the list of streams, the player of one stream, the page that publishes one, the login, and a
// test of STUN and TURN servers. The scripts are plain ES modules that browsers load as they are here; what they do
// with the gateway goes over WHEP, WHIP and the HTTP API.
package web
