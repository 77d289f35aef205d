package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/golden/plots/svgcheck"
	"corinfo/sim/study"
)

// planOf is a learning study of two axes, one of them of whole formats, with results by a formula; its last point is refused.
func planOf(t *testing.T, maxLoss float64) *study.Plan {
	t.Helper()
	file := filepath.Join(t.TempDir(), "study.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`name: formats
network: tiny
kind: learning
seeds: [0, 1]
axes:
  - {set: [W.width], values: [4, 8, 16]}
  - {set: [x], values: ["ap_ufixed<4,1,RND,SAT>", "ap_ufixed<8,1,RND,SAT>"]}
search: {max_loss: %v}
`, maxLoss)), 0o644))
	s, err := study.Load(file)
	require.NoError(t, err)
	network, err := network.Preset("tiny")
	require.NoError(t, err)
	magnitude := calibrate.Magnitude{First: -40, Counts: []int64{1, 2, 3}}
	numbers := map[string]float64{"1": 0.001, "25": 0.002, "50": 0.003, "75": 0.004}
	ranges := []calibrate.TensorRange{
		{Tensor: "W0", Format: "ap_fixed<8,2,RND,SAT>", Values: 9, Zeros: 3, Min: -0.5, Max: 1, Magnitudes: numbers, Positive: magnitude},
		{Tensor: "dW0", Format: "ap_fixed<18,6,RND,SAT>", Values: 9, Zeros: 3, Min: -0.01, Max: 0.01, Magnitudes: numbers, Negative: magnitude},
	}
	p := &study.Plan{Study: s, Whole: true}
	for _, seed := range s.Seeds {
		float := &study.Row{Seed: seed, Epochs: s.Epochs, Key: "f", Result: &study.Result{Accuracy: 0.9}}
		p.Rows = append(p.Rows, float)
		for v := range 3 {
			for w := range 2 {
				r := &study.Result{Accuracy: 0.85 + 0.01*float64(v+w) + 0.001*float64(seed), Tested: 30, MemoryBits: 1000 * (v + 1), Multipliers: 16, Cycles: float64(100 + v), Ranges: ranges,
					Overflows: map[string]study.Rate{"u1": {Count: 3, Of: 1000}}, Lost: map[string]study.Rate{"W0": {Count: 1, Of: 8}}}
				if v+w == 3 {
					r = &study.Result{Refused: "<too> & wide"}
				}
				p.Rows = append(p.Rows, &study.Row{Point: study.Point{v, w}, Seed: seed, Epochs: s.Epochs, Key: "k", Float: float, Result: r,
					Trial: &study.Trial{Kind: study.Learning, Network: string(network)}})
			}
		}
	}
	return p
}

// TestPage: what a page shows of a study with and without a recommendation, and that its plots are whole.
func TestPage(t *testing.T) {
	for _, c := range []struct {
		loss      float64
		has, lack []string
	}{
		{4, []string{"<dt>W.width</dt><dd>4</dd>", "The recommended network file", "corinfo train -c recommended.yaml", "Of the recommended point", "86.05 % (86.00 % to 86.10 %)",
			"0.3 %</td><td>1000", "12.50 %", "All points need the same multipliers: 16.", "of seed 0: 86.00 % of the first 30 test samples, 4.00 points below float"}, []string{"No point loses"}},
		{0.1, []string{"No point loses at most 0.10 percentage points", "Of the most accurate point"}, []string{"The recommended network file"}},
	} {
		plan := planOf(t, c.loss)
		var ranges []calibrate.TensorRange
		if best := plan.Recommended(); best != nil {
			ranges = best.Chosen.Result.Ranges
		}
		page, err := Page(plan, ranges)
		require.NoError(t, err)
		text := string(page)
		for _, word := range append(c.has, "ap_ufixed&lt;4,1,RND,SAT&gt;", "refused or diverged", "Float: 90.00 %", "Move it sideways", "Update size against the last place", "prefers-color-scheme: dark") {
			require.Contains(t, text, word)
		}
		for _, word := range append(c.lack, "<too>", "ZgotmplZ", "ap_ufixed<") {
			require.NotContains(t, text, word)
		}
		svgs := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
		require.Len(t, svgs, 8)
		for _, svg := range svgs {
			require.NotContains(t, svg, "NaN")
			flaws, err := svgcheck.Check([]byte(svg))
			require.NoError(t, err)
			require.Empty(t, flaws)
			for d := xml.NewDecoder(strings.NewReader(svg)); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else {
					require.NoError(t, err)
				}
			}
		}
		again, err := Page(plan, ranges)
		require.NoError(t, err)
		require.Equal(t, text, string(again))
	}
}

// TestPair: what is small stands beside its neighbour, if that is small too.
func TestPair(t *testing.T) {
	wide, one, two, none := []figure{{Wide: true}}, []figure{{}}, []figure{{}, {}}, []figure(nil)
	for _, c := range []struct {
		figures [][]figure
		want    string
	}{
		{[][]figure{two, one, one, two, wide, one, none}, ".hh..hh"}, {[][]figure{one, one, one, two}, "hh.."}, {[][]figure{one, two}, ".."}, {nil, ""},
	} {
		var list []section
		for _, f := range c.figures {
			list = append(list, section{Figures: f})
		}
		pair(list)
		got := ""
		for _, x := range list {
			got += map[bool]string{true: "h", false: "."}[x.Half]
		}
		require.Equal(t, c.want, got)
	}
}

// TestEmptyPage: a study that has just begun has a page too.
func TestEmptyPage(t *testing.T) {
	plan := planOf(t, 1)
	plan.Whole = false
	for _, row := range plan.Rows {
		row.Result = nil
	}
	plan.Open = plan.Rows
	page, err := Page(plan, nil)
	require.NoError(t, err)
	require.Contains(t, string(page), "0 of 14 trials known so far are done")
	require.Contains(t, string(page), "not known yet")
}
