package svgcheck

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocs: the drawings of the documentation are readable: no text leaves its box.
func TestDocs(t *testing.T) {
	count := 0
	for _, pattern := range []string{"*.svg", "*/*.svg"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", "docs", pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			flaws, err := Check(text)
			require.NoError(t, err, file)
			require.Empty(t, flaws, file)
			count++
		}
	}
	require.GreaterOrEqual(t, count, 5)
}

// TestFlaws: Check sees what is wrong, and nothing where nothing is.
func TestFlaws(t *testing.T) {
	for name, c := range map[string]struct {
		inner string
		want  []string // a word of each flaw
	}{
		"good":             {`<rect x="10" y="10" width="80" height="30"/><text x="50" y="30" text-anchor="middle">words</text>`, nil},
		"beside":           {`<rect x="10" y="10" width="30" height="30"/><text x="45" y="30">words</text>`, nil},
		"leaves the right": {`<text x="80" y="30">many words</text>`, []string{"leaves the drawing"}},
		"leaves the top":   {`<text x="10" y="5">words</text>`, []string{"leaves the drawing"}},
		"too wide":         {`<rect x="10" y="10" width="40" height="30"/><text x="30" y="30" class="m">words</text>`, []string{"touches a box"}},
		"bold is wider":    {`<rect x="10" y="10" width="54" height="30"/><text x="37" y="30" class="m b">words</text>`, []string{"touches a box"}},
		"regular fits":     {`<rect x="10" y="10" width="54" height="30"/><text x="37" y="30" class="m">words</text>`, nil},
		"too high":         {`<rect x="10" y="10" width="80" height="8"/><text x="20" y="20">words</text>`, []string{"touches a box"}},
		"small":            {`<rect x="10" y="10" width="40" height="30"/><text x="30" y="30" class="m s">words</text>`, nil},
		"two texts":        {`<text x="10" y="30">words</text><text x="40" y="32">others</text>`, []string{"meet"}},
		"on an arrow":      {`<text x="10" y="30">words</text><path class="w" d="M0 27H90"/>`, []string{"lies on an arrow"}},
		"beside an arrow":  {`<text x="10" y="30">words</text><path class="w" d="M0 37H90V40L60 50"/>`, nil},
		"turned":           {`<text x="-55" y="16" transform="rotate(-90)">words</text><rect x="20" y="10" width="9" height="30"/>`, nil},
		"turned and wrong": {`<text x="-55" y="25" transform="rotate(-90)">words</text><rect x="20" y="0" width="60" height="30"/>`, []string{"touches a box"}},
		"path for a box":   {`<path d="M10,10L50,10L50,40L10,40Z"/><text x="30" y="30" class="m">words</text>`, []string{"touches a box"}},
		"within a group":   {`<g transform="translate(0, 60) scale(1, -1)"><path d="M10,20L90,20L90,50L10,50Z"/><text x="20" y="-30" transform="scale(1, -1)">words</text></g>`, nil},
	} {
		file := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60"><style>.m{text-anchor:middle}.b{font:600 16px serif}.s{font-size:8px}.w{marker-end:url(#a)}` +
			`@media(x){text{font-size:99px}}</style><rect width="100" height="60"/>` + c.inner + `</svg>`
		flaws, err := Check([]byte(file))
		require.NoError(t, err, name)
		require.Len(t, flaws, len(c.want), "%s: %v", name, flaws)
		for i, word := range c.want {
			require.Contains(t, flaws[i], word, name)
		}
	}
	for _, file := range []string{"<svg></svg>", "<svg><text>half", `<svg><text transform="skewX(3)">a</text></svg>`, `<svg><text font-size="1em">a</text></svg>`} {
		_, err := Check([]byte(file))
		require.Error(t, err, file)
	}
}
