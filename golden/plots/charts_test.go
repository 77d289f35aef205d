package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/plots/svgcheck"
)

// TestEnds: axes have room for marks at their ends; a single value stands in the middle of a range of whole ticks.
func TestEnds(t *testing.T) {
	for _, c := range []struct{ low, high, from, to float64 }{
		{60, 85, 59, 86}, {-5, 20, -6, 21}, {192, 192, 172.8, 211.2}, {8, 8, 7, 9}, {0, 0, -1, 1}, {-40, -40, -44, -36},
	} {
		from, to := ends(c.low, c.high)
		require.InDeltaSlice(t, []float64{c.from, c.to}, []float64{from, to}, 1e-9, "%v", c)
	}
	labels := func(c *Chart) []string { return texts(t, []byte(c.SVG("labels"))) }
	single := &Chart{X: "multipliers", Y: "accuracy (%)"}
	single.Dots(0, []Mark{{X: 192, Y: 97.5}})
	single.WholeX()
	single.PercentY()
	said := labels(single)
	for _, word := range []string{"180", "190", "200", "210", "90", "100"} {
		require.Contains(t, said, word)
	}
	for _, word := range said {
		require.NotContains(t, []string{"191.6", "192.4", "105", "110", "-0"}, word)
	}
	bars := &Chart{X: "lost", YNames: []string{"W", "r"}}
	bars.Bars([]float64{13.8, 0.3})
	require.Contains(t, labels(bars), "0")
	require.NotContains(t, labels(bars), "-0")
}

// TestCharts: every chart is an element that stands in a page, in the page's colours, with its words; the same again is the
// same text.
func TestCharts(t *testing.T) {
	charts := map[string]func() *Chart{
		"lines": func() *Chart {
			c := &Chart{X: "bits", Y: "accuracy (%)"}
			c.Line(0, []Mark{{4, 90, 89, 91}, {6, 95, 94, 96}})
			c.Line(1, []Mark{{4, 80, 80, 80}})
			c.Ring(Mark{X: 6, Y: 95})
			c.Level(97, 4, 6)
			c.Border(5, 80, 97)
			c.WholeX()
			return c
		},
		"one point": func() *Chart { c := &Chart{X: "a", Y: "b"}; c.Dots(0, []Mark{{X: 3, Y: 3}}); return c },
		"map": func() *Chart {
			c := &Chart{X: "a", Y: "b", XNames: []string{"3", "4"}, YNames: []string{"TRN", "RND"}}
			c.Cells([]Cell{{0, 0, 0, "11.5"}, {1, 1, 1, "99.5"}, {0, 1, 7, "77.5"}})
			return c
		},
		"boxes": func() *Chart {
			c := &Chart{X: "log2", YNames: []string{"W0", "r1"}, Wide: true}
			c.Boxes([]Box{{Y: 0, ShadeFrom: -8, ShadeTo: 1, Lowest: -12, Low: -5, Median: -4, High: -3, Most: 2}, {Y: 1, ShadeFrom: -3, ShadeTo: 0, Empty: true}})
			return c
		},
		"bars": func() *Chart { c := &Chart{X: "loss", YNames: []string{"W", "r"}}; c.Bars([]float64{3, -1}); return c },
		"none": func() *Chart { c := &Chart{X: "loss"}; c.Bars([]float64{0}); return c },
	}
	words := map[string][]string{"lines": {"bits", "accuracy (%)", "4", "5", "6"}, "map": {"11.5", "99.5", "77.5", "TRN", "RND"}, "boxes": {"W0", "r1", "log2"}}
	for name, make := range charts {
		t.Run(name, func(t *testing.T) {
			svg := make().SVG(`what <is> "shown"`)
			require.Equal(t, svg, make().SVG(`what <is> "shown"`))
			require.True(t, strings.HasPrefix(svg, `<svg role="img" aria-label="what &lt;is> &quot;shown&quot;" viewBox="0 0 `), "%.200s", svg)
			require.NotContains(t, svg, "#000000")
			require.NotContains(t, svg, "NaN")
			require.NotContains(t, svg, "Inf")
			require.Contains(t, svg, "currentColor")
			flaws, err := svgcheck.Check([]byte(svg))
			require.NoError(t, err)
			require.Empty(t, flaws)
			said := texts(t, []byte(svg))
			for _, word := range words[name] {
				require.Contains(t, said, word)
			}
			for d := xml.NewDecoder(bytes.NewReader([]byte(svg))); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else {
					require.NoError(t, err)
				}
			}
		})
	}
	require.NotEqual(t, Colour(0), Colour(1))
	require.Regexp(t, `^#[0-9A-F]{6}$`, Colour(100))
}
