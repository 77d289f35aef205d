package golden

import (
	"os"
	"regexp"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRevision(t *testing.T) {
	for _, c := range []struct {
		settings []debug.BuildSetting
		want     string
	}{
		{nil, ""},
		{[]debug.BuildSetting{{Key: "-trimpath", Value: "true"}}, ""},
		{[]debug.BuildSetting{{Key: "vcs.modified", Value: "true"}}, ""},
		{[]debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "false"}}, "0123456789ab"},
		{[]debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"}}, "0123456789ab+"},
	} {
		require.Equal(t, c.want, revision(c.settings))
	}
	require.Empty(t, Revision(), "a test's, which emitted text is compared in")
	require.Equal(t, Version, Program())
}

// TestVersionIsInTheChangelog: the version is that of the newest release, or the next one with -dev while the changelog
// has an unreleased section.
func TestVersionIsInTheChangelog(t *testing.T) {
	text, err := os.ReadFile("../CHANGELOG.md")
	require.NoError(t, err)
	var sections []string
	for _, m := range regexp.MustCompile(`(?m)^## \[(.+?)\]`).FindAllSubmatch(text, -1) {
		sections = append(sections, string(m[1]))
	}
	require.NotEmpty(t, sections)
	if regexp.MustCompile(`^\d+\.\d+\.\d+-dev$`).MatchString(Version) {
		require.Equal(t, "Unreleased", sections[0])
		require.NotContains(t, sections, Version[:len(Version)-len("-dev")])
		return
	}
	require.Equal(t, Version, sections[0])
}
