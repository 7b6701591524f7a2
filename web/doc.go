// Package web holds the pages that the gateway serves to browsers, and the scripts, styles and pictures they
// use, all embedded: the list of streams and the player of one stream. The scripts are plain ES modules that
// browsers load as they are here; what they do with the gateway goes over WHEP and the HTTP API.
package web
