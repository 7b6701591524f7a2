package media

import "sluice/redact"

// RedactURL makes a URL fit to be printed, as redact.URL does.
func RedactURL(s string) string { return redact.URL(s) }

// RedactText makes a text of many words fit to be printed, as redact.Text does.
func RedactText(s string) string { return redact.Text(s) }
