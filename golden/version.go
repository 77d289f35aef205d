package golden

import (
	"fmt"
	"runtime/debug"
)

// Version is that of the program and of all that it writes; CONTRIBUTING.md says when it changes.
const Version = "0.1.0-dev"

// Revision is the commit that the program was built from, 12 digits, with "+" after it if the files had been changed since;
// "" where Go does not know it: in tests, and in what was built outside a repository.
func Revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return revision(info.Settings)
}

func revision(settings []debug.BuildSetting) string {
	commit, changed := "", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = fmt.Sprintf("%.12s", s.Value)
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + changed
}

// Program names version and revision in one line: 0.1.0, revision 0123456789ab. What a run, a design and a study keep of the
// program that made them.
func Program() string {
	if r := Revision(); r != "" {
		return Version + ", revision " + r
	}
	return Version
}
