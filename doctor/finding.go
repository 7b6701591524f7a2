package doctor

// Status is how a check has ended.
type Status string

// The ends of a check. Only Fail keeps viewers out.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "FAIL"
)

// Finding is what one check has found. What and Why may hold secrets: a Report takes them out.
type Finding struct {
	Status Status
	What   string   // one line
	Why    string   // what is wrong, as a sentence; "" where What says it
	Mend   []string // lines of config.toml, or commands, as they are to be written
}

func ok(what string) Finding { return Finding{Status: OK, What: what} }

func warn(what, why string, mend ...string) Finding {
	return Finding{Status: Warn, What: what, Why: why, Mend: mend}
}

func fail(what, why string, mend ...string) Finding {
	return Finding{Status: Fail, What: what, Why: why, Mend: mend}
}
