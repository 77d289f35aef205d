package verilog

import "strings"

// wrap breaks a line at blanks so that no part is longer than limit, where it has blanks to break at. Comments go
// on as comments, code is indented by four more.
func wrap(text string, limit int) (parts []string) {
	prefix := "    "
	if strings.HasPrefix(text, "//") {
		prefix = "//"
		for i := 2; i < len(text) && text[i] == ' '; i++ {
			prefix += " "
		}
	}
	for len(text) > limit {
		at := breakAt(text, limit, len(prefix))
		if at < 0 {
			break
		}
		parts = append(parts, strings.TrimRight(text[:at], " "))
		text = prefix + strings.TrimLeft(text[at:], " ")
	}
	return append(parts, text)
}

// breakAt is the last blank within limit that is neither in a string nor in brackets of an index, and behind which code
// may go on: not one that belongs to a comment at the line's end.
func breakAt(text string, limit, start int) int {
	end := len(text)
	if !strings.HasPrefix(text, "//") {
		if i := strings.Index(text, "//"); i >= 0 {
			end = i
		}
	}
	best, quoted, depth := -1, false, 0
	for i := start; i < min(limit, end-1); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case quoted:
		case text[i] == '[':
			depth++
		case text[i] == ']':
			depth--
		case text[i] == ' ' && depth == 0 && strings.TrimSpace(text[:i]) != "":
			best = i
		}
	}
	return best
}

// WrapText breaks the lines of a module that are longer than maxColumns, as wrap does, below their own indent.
func WrapText(text []byte) []byte {
	var out strings.Builder
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, " \n")
		code := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(code)]
		for _, part := range wrap(code, maxColumns-len(indent)) {
			out.WriteString(indent + part + "\n")
		}
	}
	return []byte(out.String())
}
