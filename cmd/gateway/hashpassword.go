package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"strings"

	"sluice/gateway"
)

const hashPasswordUsage = `The hash of a password or of a fresh token, for config.toml.

Usage:
  gateway hash-password [PASSWORD]
  gateway hash-password --token

  PASSWORD   without it the first line of standard input is the password, which then stands in no list of processes
  --token    make a token of its own, and print it above its hash
`

// maxPasswordLine bounds what is read as a password.
const maxPasswordLine = 4096

func runHashPassword(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway hash-password", flag.ContinueOnError)
	token := flags.Bool("token", false, "")
	if code, ok := parse(flags, args, stdout, stderr, hashPasswordUsage); !ok {
		return code
	}
	if flags.NArg() > 1 || *token && flags.NArg() > 0 {
		fmt.Fprint(stderr, hashPasswordUsage)
		return exitUsage
	}
	err := hashPassword(*token, flags.Args(), stdin, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "gateway hash-password:", err)
		return exitFailure
	}
	return exitDone
}

func hashPassword(token bool, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	switch {
	case token:
		return gateway.PrintToken(stdout, stderr)
	case len(args) == 1:
		return gateway.PrintPasswordHash(stdout, stderr, args[0])
	}
	password, err := firstLine(stdin)
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	return gateway.PrintPasswordHash(stdout, stderr, password)
}

// firstLine returns the first line of r without its end.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPasswordLine)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}
