package training

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
)

func TestActivity(t *testing.T) {
	a := NewActivity(2, mat.NewDense(2, 5, []float64{0, 0, 1e-9, 0.05, 0.999, 1, 1, 1.25, 0.5, 0.95}))
	want := make([]int, ActivityBins+1)
	want[0], want[1], want[10], want[19], want[20] = 3, 1, 1, 4, 1
	require.Equal(t, Activity{Layer: 2, Mean: 0.5749, Zero: 0.2, One: 0.2, Histogram: want}, a)
}

// metricsOf reads both files of metrics, times left out, and holds them against each other.
func metricsOf(t *testing.T, dir string) (table [][]string, lines []metricsRow) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, MetricsTable))
	require.NoError(t, err)
	table, err = csv.NewReader(strings.NewReader(string(text))).ReadAll()
	require.NoError(t, err)
	for i, row := range table {
		require.Equal(t, []string{"seconds", "samples_per_second"}, table[0][len(row)-2:])
		if i > 0 {
			clear(row[len(row)-2:])
		}
	}
	text, err = os.ReadFile(filepath.Join(dir, MetricsLines))
	require.NoError(t, err)
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var row metricsRow
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		require.Equal(t, fmt.Sprint(row.Epoch), table[i+1][0])
		row.Seconds, row.SamplesPerSecond = nil, nil
		lines = append(lines, row)
	}
	require.Len(t, table, len(lines)+1)
	return table, lines
}

// TestTrainMetrics: the files hold the figures that the checkpoints of the epochs give.
func TestTrainMetrics(t *testing.T) {
	for _, arithmetic := range []string{Float, Float32, Fixed} {
		dir, data := t.TempDir(), trainData()
		c := newRun(t, arithmetic)
		figures := func() NetworkMetrics { // of the last checkpoint, by another way
			back, err := LoadCheckpoint(dir)
			require.NoError(t, err)
			w, err := back.Weights()
			require.NoError(t, err)
			l, err := NewLearner(back)
			require.NoError(t, err)
			var samples [][]uint8
			for i := range data.Test.Len() {
				samples = append(samples, data.Test.Sample(i))
			}
			m, err := measure(c.Network.Describe(), w, l.States(samples))
			require.NoError(t, err)
			return *m
		}
		goldentest.CorInfoMax(c.Network).Epsilon = 0.15
		require.NoError(t, c.Save(dir))
		want := []NetworkMetrics{figures()}
		for c.Network.Learning.Epochs = 1; c.Network.Learning.Epochs <= 3; c.Network.Learning.Epochs++ {
			_, err := Train(t.Context(), c, data, TrainOptions{Dir: dir})
			require.NoError(t, err)
			want = append(want, figures())
		}
		require.Equal(t, want[0], *c.Start)
		table, lines := metricsOf(t, dir)
		require.Equal(t, strings.Split("epoch,samples,train_accuracy,test_accuracy,angle_W1,information_r0,information_r1,information_W0,information_W1,information_F1,"+
			"mean_r1,mean_r2,zero_r1,zero_r2,one_r1,one_r2,rate_W0,rate_W1,rate_F1,seconds,samples_per_second", ","), table[0])
		require.Equal(t, []string{"0", "0", "", ""}, table[1][:4])
		require.Len(t, lines, 4)
		for epoch, row := range lines {
			require.Equal(t, epoch, row.Epoch)
			require.Equal(t, want[epoch], row.NetworkMetrics)
			require.Equal(t, fmt.Sprint(row.Angles[0].Degrees), table[epoch+1][4])
			require.Equal(t, fmt.Sprint(row.Information[1].Nats), table[epoch+1][6])
			require.Equal(t, fmt.Sprint(row.Information[0].Forward), table[epoch+1][7])
			require.Equal(t, fmt.Sprint(*row.Information[1].Backward), table[epoch+1][9])
			require.Equal(t, fmt.Sprint(row.Activity[0].Zero), table[epoch+1][12])
			total := 0
			for _, count := range row.Activity[1].Histogram {
				total += count
			}
			require.Equal(t, 20*5, total)
			if epoch > 0 {
				require.Equal(t, want[epoch], c.History[epoch-1].NetworkMetrics)
				require.Equal(t, c.History[epoch-1].TestAccuracy, *row.TestAccuracy)
				require.Equal(t, *c.History[epoch-1].TrainAccuracy, *row.TrainAccuracy)
				l, fall := &c.Network.Learning, c.Network.Learning.Decay.At(rule.Moment{Epoch: epoch - 1})
				require.Equal(t, map[string]float64{"W0": l.Feedforward[0] * fall, "W1": l.Feedforward[1] * fall, "F1": l.Feedback[0] * fall}, row.Rates)
				require.Equal(t, fmt.Sprint(l.Feedforward[1]*fall), table[epoch+1][17])
			}
		}
		require.NotEqual(t, want[0].Angles, want[3].Angles)
		times, err := ReadTimes(dir)
		require.NoError(t, err)
		require.Len(t, times, 4)
		require.Positive(t, times[3].SamplesPerSecond)
	}
}

// TestMetricsFollowTheCheckpoint: whatever the files of metrics are when a run goes on, they become the checkpoint's,
// and the times in them that were measured stay.
func TestMetricsFollowTheCheckpoint(t *testing.T) {
	two := newRun(t, Float)
	two.Network.Learning.Epochs = 2
	first := t.TempDir()
	_, err := Train(t.Context(), two, trainData(), TrainOptions{Dir: first})
	require.NoError(t, err)
	checkpoint, err := os.ReadFile(filepath.Join(first, CheckpointFile))
	require.NoError(t, err)
	wantTable, wantLines := metricsOf(t, first)

	known := map[int]EpochTime{1: {1234567 * time.Microsecond, 70.25}, 2: {2 * time.Second, 80}}
	for name, x := range map[string]struct {
		spoil func(dir string)
		warn  string
		times map[int]EpochTime
	}{
		"as they were": {func(string) {}, "", map[int]EpochTime{0: {}, 1: {1235 * time.Millisecond, 70.3}, 2: {2 * time.Second, 80}}},
		"a row ahead": {func(dir string) {
			three := *two
			three.History = append(three.History[:2:2], EpochMetrics{Epoch: 3})
			require.NoError(t, three.WriteMetrics(dir, known))
		}, "", map[int]EpochTime{0: {}, 1: {1235 * time.Millisecond, 70.3}, 2: {2 * time.Second, 80}}},
		"a row behind": {func(dir string) {
			one := *two
			one.History = one.History[:1]
			require.NoError(t, one.WriteMetrics(dir, known))
		}, "", map[int]EpochTime{0: {}, 1: {1235 * time.Millisecond, 70.3}, 2: {}}},
		"missing": {func(dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, MetricsLines)))
			require.NoError(t, os.Remove(filepath.Join(dir, MetricsTable)))
		}, "times of the epochs before are left empty: open ", map[int]EpochTime{0: {}, 1: {}, 2: {}}},
		"damaged": {func(dir string) {
			path := filepath.Join(dir, MetricsLines)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, text[:len(text)-9], 0o644))
		}, "metrics.jsonl:3: ", map[int]EpochTime{0: {}, 1: {}, 2: {}}},
		"a folder": {func(dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, MetricsLines)))
			require.NoError(t, os.Mkdir(filepath.Join(dir, MetricsLines), 0o755))
		}, "metrics.jsonl", nil},
		"left behind": {func(dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, halfName), []byte("half"), 0o600))
		}, "", map[int]EpochTime{0: {}, 1: {1235 * time.Millisecond, 70.3}, 2: {2 * time.Second, 80}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, CheckpointFile), checkpoint, 0o644))
			require.NoError(t, two.WriteMetrics(dir, known))
			x.spoil(dir)
			c, err := LoadCheckpoint(dir)
			require.NoError(t, err)
			var warnings []string
			_, err = Train(t.Context(), c, trainData(), TrainOptions{Dir: dir, Warn: func(err error) { warnings = append(warnings, err.Error()) }})
			if x.times == nil {
				require.ErrorContains(t, err, "metrics.jsonl")
				return
			}
			require.NoError(t, err)
			if x.warn == "" {
				require.Empty(t, warnings)
			} else {
				require.Len(t, warnings, 1)
				require.Contains(t, warnings[0], x.warn)
			}
			table, lines := metricsOf(t, dir)
			require.Equal(t, wantTable, table)
			require.Equal(t, wantLines, lines)
			times, err := ReadTimes(dir)
			require.NoError(t, err)
			require.Equal(t, x.times, times)
			require.NoFileExists(t, filepath.Join(dir, halfName))
		})
	}
}

// TestOlderRun: a run that was begun without figures of its start and of its learning samples goes on; what is not
// known is left empty.
func TestOlderRun(t *testing.T) {
	c, dir, data := newRun(t, Float), t.TempDir(), trainData()
	tr, err := newTrainer(c, data, TrainOptions{Dir: dir})
	require.NoError(t, err)
	for range 4 {
		tr.l.Learn([][]uint8{data.Train.Sample(0), data.Train.Sample(1), data.Train.Sample(2)}, []int{0, 1, 2}, false)
	}
	c.Tensors, c.Batch, c.Step = tr.l.Tensors(), 4, 4
	require.NoError(t, c.Save(dir))
	_, err = Train(t.Context(), c, trainData(), TrainOptions{Dir: dir})
	require.NoError(t, err)
	require.Nil(t, c.Start)
	require.Nil(t, c.History[0].TrainAccuracy)
	require.NotNil(t, c.History[1].TrainAccuracy)
	table, _ := metricsOf(t, dir)
	require.Len(t, table, 4)
	require.Equal(t, "", table[1][2])
	require.NotEqual(t, "", table[2][2])
}

// TestWatcher: a test that keeps states finds what one without finds, and the states of the first samples.
func TestWatcher(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	for _, arithmetic := range []string{Float, Float32, Fixed} {
		for _, count := range []int{7, MeasuredSamples, MeasuredSamples + evaluationBlock + 7} {
			data := trainData()
			set := dataset.Set{Size: 6, Labels: make([]uint8, count), Pixels: make([]uint8, 6*count)}
			for i := range set.Pixels {
				set.Pixels[i] = uint8(rng.IntN(256))
			}
			for i := range count {
				set.Labels[i] = uint8(rng.IntN(5))
			}
			data.Test = set
			tr, err := newTrainer(newRun(t, arithmetic), data, TrainOptions{Dir: t.TempDir()})
			require.NoError(t, err)
			got, figures, err := tr.test(t.Context(), &data.Test, nil)
			require.NoError(t, err)
			want, err := Evaluate(t.Context(), tr.l, &data.Test, 5, nil)
			require.NoError(t, err)
			require.Equal(t, want, got)
			first := set.First(MeasuredSamples)
			require.Equal(t, min(count, MeasuredSamples), first.Len())
			var samples [][]uint8
			for i := range first.Len() {
				samples = append(samples, set.Sample(i))
			}
			w, err := tr.c.Weights()
			require.NoError(t, err)
			alone, err := measure(tr.c.Network.Describe(), w, tr.l.States(samples))
			require.NoError(t, err)
			require.Equal(t, alone, figures)
		}
	}
}

// halfName is a name under which something was being written.
const halfName = ".corinfo-ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// TestNewRunAfterAKill: what a process leaves that was killed while it wrote the first checkpoint is no run.
func TestNewRunAfterAKill(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, halfName), nil, 0o600))
	l, err := LockNewRun(dir)
	require.NoError(t, err)
	l.Unlock()
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".corinfo-folder"), 0o755))
	_, err = LockNewRun(dir)
	require.ErrorIs(t, err, golden.ErrUsage)
}
