package network

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// TestReadmeSettings: the settings that the README shows, laid over a preset, are a network file.
func TestReadmeSettings(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, shown, found := strings.Cut(string(readme), "\n    rule: corinfomax\n")
	require.True(t, found)
	shown, _, _ = strings.Cut("    rule: corinfomax\n"+shown, "\n\n")
	preset, err := presets.ReadFile("presets/mnist.yaml")
	require.NoError(t, err)
	var file, over map[string]any
	require.NoError(t, yaml.Unmarshal(preset, &file))
	require.NoError(t, yaml.Unmarshal([]byte(strings.ReplaceAll("\n"+shown, "\n    ", "\n")), &over))
	lay(file, over)
	text, err := yaml.Marshal(file)
	require.NoError(t, err)
	_, err = Parse("readme", text)
	require.NoError(t, err)
	over["corinfomax"].(map[string]any)["beta"] = 1
	text, err = yaml.Marshal(file)
	require.NoError(t, err)
	_, err = Parse("readme", text)
	require.Error(t, err)
}

// lay sets what over has in to.
func lay(to, over map[string]any) {
	for key, value := range over {
		section, ok := value.(map[string]any)
		if below, both := to[key].(map[string]any); ok && both {
			lay(below, section)
			over[key] = below
			continue
		}
		to[key] = value
	}
}
