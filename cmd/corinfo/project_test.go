package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
)

// TestMakeHelpNamesEveryTarget: `make help` prints the Makefile's first lines, one a target.
func TestMakeHelpNamesEveryTarget(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	phony := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindSubmatch(text)
	require.NotNil(t, phony)
	var named, defined []string
	for _, m := range regexp.MustCompile(`(?m)^# make ([a-z-]+)  +\S`).FindAllSubmatch(text, -1) {
		named = append(named, string(m[1]))
	}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(text, -1) {
		defined = append(defined, string(m[1]))
	}
	require.ElementsMatch(t, strings.Fields(string(phony[1])), named)
	require.ElementsMatch(t, defined, named)
}

func TestVersion(t *testing.T) {
	code, stdout, _ := corinfo("--version")
	require.Equal(t, exitDone, code)
	require.Equal(t, "corinfo version "+golden.Program()+"\n", stdout)
}
