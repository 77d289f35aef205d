package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/sim/study"
)

// figuresOfStudy are what the study commands print with --json.
type figuresOfStudy struct {
	Trials, Done  int
	Whole         bool
	Table, Report string
	Recommended   *struct {
		Settings       map[string]string
		Accuracy, Loss float64
		Low            float64 `json:"accuracy_low"`
		High           float64 `json:"accuracy_high"`
		MemoryBits     float64 `json:"memory_bits"`
		Run            struct {
			Network, Weights string
			Seed             uint32
			Accuracy, Loss   float64
			Tested           int
		}
	}
}

// TestStudySmoke does docs/studies/smoke.yaml: its recommended run is evaluated to the accuracy that the study said, and
// its design is simulated in lock step without a mismatch.
func TestStudySmoke(t *testing.T) {
	file, folder := filepath.Join("..", "..", "docs", "studies", "smoke.yaml"), filepath.Join(t.TempDir(), "smoke")
	code, stdout, stderr := corinfo("study", "run", file, "-o", folder, "--json")
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stderr, "smoke: ")
	var got figuresOfStudy
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Contains(t, stdout, `"program": "`+golden.Version+", program ", "a test's program, known by its hash")
	require.True(t, got.Whole)
	require.Equal(t, got.Trials, got.Done)
	require.NotNil(t, got.Recommended)

	table, err := os.ReadFile(got.Table)
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+got.Trials)

	page, err := os.ReadFile(got.Report)
	require.NoError(t, err)
	for _, title := range []string{"Recommended", "Accuracy against the values of each axis", "Accuracy by two axes", "What accuracy costs", "Sensitivity", "Ranges",
		"Update size against the last place", "Saturation and lost updates", "Points", "The recommended network file"} {
		require.Contains(t, string(page), "<h2>"+title+"</h2>")
	}
	require.GreaterOrEqual(t, strings.Count(string(page), "<svg "), 8)
	require.NotContains(t, string(page), "ZgotmplZ")
	for _, address := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllSubmatch(page, -1) {
		require.True(t, strings.HasPrefix(string(address[1]), "data:text/csv;base64,"), "the page needs %.80s", address[1])
	}

	agree(t, &got, rows, string(page))

	// What is done is not done again, and reported to the same bytes.
	start := time.Now()
	again := done(t, "study", "report", file, "-o", folder, "--json")
	require.Equal(t, stdout, again)
	require.Less(t, time.Since(start), 30*time.Second)
	for path, want := range map[string][]byte{got.Table: table, got.Report: page} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, text), path)
	}

	// The recommended run's accuracy over the study's test samples.
	run, err := training.LoadCheckpoint(got.Recommended.Run.Weights)
	require.NoError(t, err)
	n, err := network.Load(got.Recommended.Run.Network)
	require.NoError(t, err)
	require.Equal(t, n.Fingerprint(), run.Network.Fingerprint())
	data, err := dataset.Load(n.Dataset)
	require.NoError(t, err)
	learner, err := training.NewLearner(run)
	require.NoError(t, err)
	count := got.Recommended.Run.Tested
	set := dataset.Set{Pixels: data.Test.Pixels[:count*data.Test.Size], Labels: data.Test.Labels[:count], Size: data.Test.Size}
	e, err := training.Evaluate(context.Background(), learner, &set, 10, nil)
	require.NoError(t, err)
	require.Equal(t, got.Recommended.Run.Accuracy, e.Accuracy)

	needTool(t, "verilator")
	design := filepath.Join(t.TempDir(), "design")
	done(t, "generate", "--weights", got.Recommended.Run.Weights, "-o", design)
	require.Contains(t, done(t, "cosim", design, "--samples", "2"), "mismatches            0\n")
}

// agree holds the recommended point's figures in JSON against table and page: means over the seeds, and those of the run's seed,
// which keeps the loss by itself.
func agree(t *testing.T, got *figuresOfStudy, table [][]string, page string) {
	t.Helper()
	r := got.Recommended
	number := func(row []string, column string) float64 {
		x, err := strconv.ParseFloat(row[slices.Index(table[0], column)], 64)
		require.NoError(t, err, column)
		return x
	}
	var accuracy, loss, memory, low, high float64
	seeds := 0.0
	for _, row := range table[1:] {
		if slices.ContainsFunc(slices.Collect(maps.Keys(r.Settings)), func(axis string) bool { return row[slices.Index(table[0], axis)] != r.Settings[axis] }) {
			continue
		}
		mine := number(row, "accuracy")
		if seeds++; seeds == 1 {
			low, high = mine, mine
		}
		accuracy, loss, memory, low, high = accuracy+mine, loss+number(row, "loss"), memory+number(row, "memory_bits"), min(low, mine), max(high, mine)
		if number(row, "seed") == float64(r.Run.Seed) {
			require.InDelta(t, mine, r.Run.Accuracy, 1e-6)
			require.InDelta(t, number(row, "loss"), r.Run.Loss, 1e-4)
			require.Equal(t, number(row, "tested"), float64(r.Run.Tested))
		}
	}
	require.Equal(t, 2.0, seeds)
	require.InDelta(t, accuracy/seeds, r.Accuracy, 1e-6)
	require.InDelta(t, loss/seeds, r.Loss, 1e-4)
	require.InDelta(t, memory/seeds, r.MemoryBits, 1e-6)
	require.InDelta(t, low, r.Low, 1e-6)
	require.InDelta(t, high, r.High, 1e-6)
	require.LessOrEqual(t, r.Run.Loss, 1+1e-9, "the study's max_loss")
	for _, words := range []string{
		fmt.Sprintf("<dt>accuracy</dt><dd>%.2f %% (%.2f %% to %.2f %%)</dd>", 100*r.Accuracy, 100*r.Low, 100*r.High),
		fmt.Sprintf("<dt>loss against float</dt><dd>%.2f points</dd>", r.Loss),
		fmt.Sprintf("<dt>memory</dt><dd>%.0f bits</dd>", r.MemoryBits),
		fmt.Sprintf("of seed %d: %.2f %% of the first %d test samples, %.2f points below float", r.Run.Seed, 100*r.Run.Accuracy, r.Run.Tested, r.Run.Loss),
	} {
		require.Contains(t, page, words)
	}
}

func TestStudyUsage(t *testing.T) {
	file := writeFile(t, filepath.Join(t.TempDir(), "s.yaml"), "name: s\nnetwork: tiny\nkind: inference\naxis: []\n")
	refused(t, exitUsage, []string{"s.yaml:4:1: axis: unknown key", `"axes"`}, "study", "run", file)
	refused(t, exitUsage, []string{"STUDY.yaml"}, "study", "run")
	refused(t, exitUsage, []string{"unknown command", "worker"}, "study", "walk", file)
	refused(t, exitUsage, []string{"docs/STUDIES.md"}, "study", "report", "nowhere.yaml")
	good := filepath.Join("..", "..", "docs", "studies", "smoke.yaml")
	refused(t, exitUsage, []string{"--workers 0"}, "study", "worker", good, "--workers", "0", "-o", t.TempDir())
	refused(t, exitUsage, []string{"--lease"}, "study", "worker", good, "--lease", "1ms", "-o", t.TempDir())
	refused(t, exitUsage, []string{"postgres://"}, "study", "run", good, "--database", "mysql://x", "-o", t.TempDir())
	require.Contains(t, done(t, "study"), "report")
}

// TestStudyFiles: every study file that is shipped can be read.
func TestStudyFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "studies", "*.yaml"))
	require.NoError(t, err)
	count := 0
	for _, file := range files {
		if filepath.Base(file) == "kubernetes.yaml" {
			continue
		}
		s, err := study.Load(file)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSuffix(filepath.Base(file), ".yaml"), s.Name)
		count++
	}
	require.GreaterOrEqual(t, count, 6)
}

// TestStudyProgress gives the plain lines.
func TestStudyProgress(t *testing.T) {
	var out bytes.Buffer
	p := newStudyProgress(&out, "s")
	p.show(study.Progress{Done: 2, Known: 10})
	require.Empty(t, out.String(), "not within the first seconds")
	p.line = time.Now().Add(-time.Minute)
	p.show(study.Progress{Done: 6, Known: 10, Running: 2, Since: time.Minute})
	require.Equal(t, "s: 6 of 10 trials, 2 running here, 1m00s left, 4.0/min\n", out.String())
	out.Reset()
	p.show(study.Progress{Done: 10, Known: 10, Whole: true, Since: 2 * time.Minute})
	require.Equal(t, "s: 10 of 10 trials, 4.0/min\n", out.String())
	p.close()
}
