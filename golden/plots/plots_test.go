package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"corinfo/golden/network"
	"corinfo/golden/plots/svgcheck"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/golden/weights"
)

// trained is a run with figures of some epochs of a network of some layers.
func trained(epochs int, layers ...int) *training.Checkpoint {
	K := len(layers) - 1
	figures := func(epoch int) training.NetworkMetrics {
		var m training.NetworkMetrics
		decay := math.Exp(-float64(epoch) / 10)
		for k := 1; k < K; k++ {
			m.Angles = append(m.Angles, weights.Angle{Layer: k, Degrees: 50 + 40*decay + float64(k)})
		}
		for k := range K {
			i := training.Information{Layer: k, Nats: 7 - decay, Forward: -3 + 9*decay}
			if k > 0 {
				backward := 2 - decay
				i.Backward = &backward
			}
			m.Information = append(m.Information, i)
		}
		for k := 1; k <= K; k++ {
			a := training.Activity{Layer: k, Mean: 0.2, Zero: 0.5, One: 0.125, Histogram: make([]int, training.ActivityBins+1)}
			a.Histogram[0], a.Histogram[3], a.Histogram[training.ActivityBins-1] = 5000, 3000-epoch, 2000+epoch
			m.Activity = append(m.Activity, a)
		}
		return m
	}
	start := figures(0)
	n := &network.Network{Name: "digits", Rule: "corinfomax", Layers: layers, Own: &rule.CorInfoMax{Epsilon: 0.15, Lambda: 0.999, Leak: 0.5, Lateral: true},
		Learning: rule.Learning{Batch: 1, Beta: 1, Feedforward: make([]float64, K), Feedback: make([]float64, K-1)}}
	run := &training.Checkpoint{Network: n, Epoch: epochs, Start: &start}
	for epoch := 1; epoch <= epochs; epoch++ {
		accuracy := 0.98 - 0.3*math.Exp(-float64(epoch)/3)
		run.History = append(run.History, training.EpochMetrics{Epoch: epoch, Samples: 60000, TrainAccuracy: &accuracy, TestAccuracy: accuracy - 0.01,
			NetworkMetrics: figures(epoch)})
	}
	return run
}

func names(t *testing.T, run *training.Checkpoint) []string {
	var list []string
	for _, f := range figures(run) {
		list = append(list, f.name)
	}
	return list
}

// TestWrite: the same checkpoint gives the same files, whole PNG and SVG of the right size.
func TestWrite(t *testing.T) {
	for name, run := range map[string]*training.Checkpoint{
		"1 epoch": trained(1, 20, 13, 7), "50 epochs": trained(50, 20, 13, 7), "4 layers": trained(3, 9, 8, 7, 6), "no hidden layer": trained(3, 9, 8),
	} {
		t.Run(name, func(t *testing.T) {
			first, second := filepath.Join(t.TempDir(), "new", "plots"), t.TempDir()
			files, err := Write(first, run)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(second, ".corinfo-ABCDEFGHIJKLMNOPQRSTUVWXYZ"), []byte("half"), 0o600)) // of a process that was killed
			again, err := Write(second, run)
			require.NoError(t, err)
			list := figures(run)
			require.Len(t, files, 2*len(list))
			for i, file := range files {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				other, err := os.ReadFile(again[i])
				require.NoError(t, err)
				require.True(t, bytes.Equal(text, other), "%s differs from its like", file)
				f := list[i/2]
				if filepath.Ext(file) == ".png" {
					image, err := png.Decode(bytes.NewReader(text))
					require.NoError(t, err)
					require.InDelta(t, resolution*width.Points()/72, image.Bounds().Dx(), 1)
					require.InDelta(t, resolution*f.height().Points()/72, image.Bounds().Dy(), 1)
					continue
				}
				flaws, err := svgcheck.Check(text)
				require.NoError(t, err)
				require.Empty(t, flaws, f.name)
				said := texts(t, text)
				for _, p := range f.panels {
					require.Contains(t, said, p.plot.Title.Text)
					require.Contains(t, said, p.plot.X.Label.Text)
					require.Contains(t, said, p.plot.Y.Label.Text)
				}
			}
			left, err := os.ReadDir(second)
			require.NoError(t, err)
			require.Len(t, left, len(files), "temporary files are left")
		})
	}
	_, err := Write(filepath.Join(os.DevNull, "plots"), trained(1, 2, 2))
	require.Error(t, err)
}

// texts are the words of an SVG file, which must be XML.
func texts(t *testing.T, file []byte) []string {
	t.Helper()
	var list []string
	for d := xml.NewDecoder(bytes.NewReader(file)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		require.NoError(t, err)
		if words, ok := token.(xml.CharData); ok {
			list = append(list, string(words))
		}
	}
}

// TestFigures: what is drawn is what the run has, and no more.
func TestFigures(t *testing.T) {
	run := trained(3, 20, 13, 7)
	require.Equal(t, []string{"accuracy", "angle", "information", "activity"}, names(t, run))
	require.Equal(t, []string{"accuracy", "information", "activity"}, names(t, trained(3, 9, 8)), "without feedback there is no angle")
	require.Len(t, information(run), 2)
	var said []string
	for _, f := range figures(run) {
		svg := new(bytes.Buffer)
		_, err := f.svg().WriteTo(svg)
		require.NoError(t, err)
		said = append(said, texts(t, svg.Bytes())...)
	}
	for _, words := range []string{"W1 and F1 transposed", "forward, by W0", "forward, by W1", "backward, by F1"} {
		require.Contains(t, said, words, "names are the description's")
	}
	for _, name := range []string{"ep", "csm"} {
		other := trained(3, 20, 13, 7)
		other.Network.Rule, other.Network.Own = name, rule.Named(name).Own()
		if own, ok := other.Network.Own.(*rule.CSM); ok {
			own.Lateral = []float64{-0.1}
		}
		require.Equal(t, []string{"accuracy", "activity"}, names(t, other), "%s has no feedback of its own, and no correlative information", name)
	}
	require.Len(t, activity(trained(3, 9, 8, 7, 6)), 3)

	older := trained(3, 20, 13, 7)
	older.Start = nil
	for i := range older.History {
		older.History[i].TrainAccuracy, older.History[i].NetworkMetrics = nil, training.NetworkMetrics{}
	}
	require.Equal(t, []string{"accuracy"}, names(t, older))
	older.History[2].NetworkMetrics = run.History[2].NetworkMetrics // its last epoch was trained by this version
	require.Equal(t, []string{"accuracy", "angle", "information", "activity"}, names(t, older))
	_, err := Write(t.TempDir(), older)
	require.NoError(t, err)
	older.History[2].Activity[0].Histogram = []int{1, 2}
	require.Len(t, activity(older), 1, "a histogram of other parts is left out")
	require.Empty(t, names(t, &training.Checkpoint{Network: run.Network}))

	require.Equal(t, plotter.XYs{{X: 0, Y: 6}, {X: 1, Y: 7 - math.Exp(-0.1)}, {X: 2, Y: 7 - math.Exp(-0.2)}, {X: 3, Y: 7 - math.Exp(-0.3)}},
		byEpoch(run, func(m *training.NetworkMetrics) (float64, bool) { return m.Information[0].Nats, true }))
}

// TestBars: the bars of a histogram with those of exactly 0, exactly 1 and above 1 are all states.
func TestBars(t *testing.T) {
	a := trained(0, 9, 8).Start.Activity[0]
	a.Histogram[training.ActivityBins] = 10
	a.Zero, a.One = 4000.0/10010, 1000.0/10010
	const right = 10.5 // of the middle, for the right one of two bars
	sum, drawn := 0.0, map[int]float64{}
	for _, box := range newBars(a, blue, 1).boxes {
		share := math.Pow(10, box[2])
		sum += share
		if share > 0 {
			drawn[int(math.Round(1000*(box[0]+box[1])/2-right))] = share * 10010 / 100
		}
	}
	require.InDelta(t, 100, sum, 1e-9)
	want := map[int]float64{-70: 4000, 25: 1000, 175: 3000, 975: 1000, 1070: 1000, 1160: 10}
	require.Len(t, drawn, len(want))
	for middle, count := range want {
		require.InDelta(t, count, drawn[middle], 1e-6, "bar at %d", middle)
	}
}

func TestEvenTicks(t *testing.T) {
	for _, c := range []struct {
		least, low, high float64
		want             []string
	}{
		{1, 0, 1, []string{"0", "1"}},
		{1, 0, 7, []string{"0", "1", "2", "3", "4", "5", "6", "7"}},
		{1, 0, 12, []string{"0", "2", "4", "6", "8", "10", "12"}},
		{1, 0, 50, []string{"0", "10", "20", "30", "40", "50"}},
		{1, 0, 1000, []string{"0", "200", "400", "600", "800", "1000"}},
		{1e-3, 41.2, 86.1, []string{"50", "60", "70", "80"}},
		{1e-3, 97.31, 97.62, []string{"97.35", "97.40", "97.45", "97.50", "97.55", "97.60"}},
		{1e-3, -3.8, 2, []string{"-3", "-2", "-1", "0", "1", "2"}},
		{1, -0.6, 14.4, []string{"0", "5", "10"}},
		{1e-3, -0.02, 0.5, []string{"0.0", "0.1", "0.2", "0.3", "0.4", "0.5"}},
	} {
		var labels []string
		for _, tick := range (evenTicks{c.least}).Ticks(c.low, c.high) {
			labels = append(labels, tick.Label)
		}
		require.Equal(t, c.want, labels)
	}
	var _ plot.Ticker = evenTicks{}
}
