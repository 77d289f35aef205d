package golden

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed presets/*.yaml
var presetFiles embed.FS

// Presets are the names that Preset knows, sorted.
func Presets() []string {
	files, err := fs.Glob(presetFiles, "presets/*.yaml")
	if err != nil {
		panic("golden: " + err.Error()) // the pattern is a constant
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "presets/"), ".yaml")
	}
	return files
}

// Preset is the text of a commented network file to start from. An unknown name is ErrUsage.
func Preset(name string) ([]byte, error) {
	text, err := presetFiles.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, usagef("no preset %q; there are %s", name, strings.Join(Presets(), ", "))
	}
	return text, nil
}
