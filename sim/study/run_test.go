package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/training"
)

// TestMain makes the test's binary a worker where asked, so that there are processes to kill.
func TestMain(m *testing.M) {
	if file := os.Getenv("CORINFO_TEST_STUDY"); file != "" {
		o := Options{Folder: os.Getenv("CORINFO_TEST_FOLDER"), Database: os.Getenv("CORINFO_TEST_DATABASE"), Version: "test", Lease: LeastLease}
		var d death
		if _, err := fmt.Sscan(os.Getenv("CORINFO_TEST_DEATH"), &d.trials, &d.delay); err == nil {
			d.await(&o)
		}
		s, err := Load(file)
		if err == nil {
			_, err = Run(context.Background(), s, o)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// death is when a worker kills itself: some time after it has done so many trials, or found the study whole; with fewer than
// none, after its start. A worker that counts its trials can't be too fast to be killed.
type death struct {
	trials int
	delay  time.Duration
}

func (d death) await(o *Options) {
	kill := func() {
		time.Sleep(d.delay)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	if d.trials < 0 {
		go kill()
		return
	}
	o.Progress = func(p Progress) {
		if p.Now >= d.trials || p.Whole {
			kill() // its trials go on meanwhile
		}
	}
}

// digits is a network file and a data set of its own: 60 training and 30 test images of 4 x 4 pixels in 3 classes.
func digits(t *testing.T, dir string) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	number := func(b *bytes.Buffer, values ...uint32) {
		for _, v := range values {
			b.Write([]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		}
	}
	for _, set := range []struct {
		name  string
		count uint32
	}{{"train", 60}, {"t10k", 30}} {
		var images, labels bytes.Buffer
		number(&images, 0x803, set.count, 4, 4)
		number(&labels, 0x801, set.count)
		for i := range set.count {
			class := i % 3
			labels.WriteByte(byte(class))
			for pixel := range uint32(16) {
				value := rng.IntN(90)
				if pixel%3 == class {
					value += 120
				}
				images.WriteByte(byte(value))
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, set.name+"-images-idx3-ubyte"), images.Bytes(), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, set.name+"-labels-idx1-ubyte"), labels.Bytes(), 0o644))
	}
	return writeFile(t, dir, "network.yaml", fmt.Sprintf(`name: tester
dataset: {name: idx, path: %q}
rule: corinfomax
layers: [16, 12, 3]
corinfomax: {epsilon: 0.15, lambda: 0.999, leak: 0.5}
settling: {free_iterations: 12, nudged_iterations: 6, step: {rule: constant, start: 0.05}}
learning: {batch: 5, beta: 1, feedforward: [0.5, 0.25], feedback: [0.15], epochs: 2}
hardware: {lanes: 4}
`, dir))
}

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// fixture loads a study of the small network.
func fixture(t *testing.T, text string) (*Study, string) {
	t.Helper()
	dir := t.TempDir()
	digits(t, dir)
	file := writeFile(t, dir, "study.yaml", "name: fixture\nnetwork: network.yaml\n"+text)
	s, err := Load(file)
	require.NoError(t, err)
	return s, file
}

const gridStudy = `kind: inference
epochs: 4
seeds: [0, 1]
axes:
  - {set: [W.width, F.width, C.width], values: [2, 4, 8]}
  - {set: [r.width], values: [3, 6, 9, 20]}
search: {method: grid, max_loss: 4}
`

const greedyStudy = `kind: learning
epochs: 2
seeds: [3]
axes:
  - {set: [W0.width], values: [4, 6, 8, 10]}
  - {set: [W1.width, F1.width], values: [4, 6, 8, 10]}
  - {set: [C.width], values: [6, 10]}
search: {method: min+1, max_loss: 7}
`

// alone is the table of a study that one worker does undisturbed.
func alone(t *testing.T, s *Study) (*Plan, []byte) {
	t.Helper()
	plan, err := Run(context.Background(), s, Options{Folder: t.TempDir(), Version: "test"})
	require.NoError(t, err)
	require.True(t, plan.Whole)
	require.Empty(t, plan.Open)
	return plan, plan.CSV()
}

// TestKilledWorkers: three workers on one database, which are killed at random moments and started again, do every trial
// exactly once, and their table is that of one undisturbed worker, byte for byte.
func TestKilledWorkers(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	for _, c := range []struct {
		name, study string
		postgres    bool
	}{{"SQLite", greedyStudy, false}, {"PostgreSQL", gridStudy, true}} {
		t.Run(c.name, func(t *testing.T) {
			address := ""
			if c.postgres {
				address, _ = startPostgres(t)
			}
			s, file := fixture(t, c.study)
			_, want := alone(t, s)
			folder := t.TempDir()
			self, err := os.Executable()
			require.NoError(t, err)
			run := func(more ...string) (*os.ProcessState, string) {
				p, stderr := exec.Command(self), new(bytes.Buffer)
				p.Env = append(append(os.Environ(), "CORINFO_TEST_STUDY="+file, "CORINFO_TEST_FOLDER="+folder, "CORINFO_TEST_DATABASE="+address), more...)
				p.Stderr = stderr
				_ = p.Run()
				return p.ProcessState, stderr.String()
			}
			kills := atomic.Int64{}
			ended := make(chan error, 3)
			for range 3 {
				deaths := []death{{0, time.Duration(rng.IntN(50)) * time.Millisecond}}
				for len(deaths) < 4 {
					deaths = append(deaths, death{rng.IntN(4) - 1, time.Duration(rng.IntN(100)) * time.Millisecond})
				}
				rng.Shuffle(len(deaths), func(i, j int) { deaths[i], deaths[j] = deaths[j], deaths[i] })
				go func() {
					for _, d := range deaths {
						state, _ := run(fmt.Sprintf("CORINFO_TEST_DEATH=%d %d", d.trials, d.delay))
						if s, ok := state.Sys().(syscall.WaitStatus); ok && s.Signal() == syscall.SIGKILL {
							kills.Add(1)
						}
					}
					state, stderr := run()
					if !state.Success() {
						ended <- fmt.Errorf("%v: %s", state, stderr)
						return
					}
					ended <- nil
				}()
			}
			for range 3 {
				require.NoError(t, <-ended)
			}
			plan, err := Look(context.Background(), s, Options{Folder: folder, Database: address, Version: "test"})
			require.NoError(t, err)
			require.Equal(t, string(want), string(plan.CSV()), "after %d kills", kills.Load())
			t.Logf("%d kills", kills.Load())
			require.GreaterOrEqual(t, kills.Load(), int64(3))

			st, err := openStore(context.Background(), address, folder)
			require.NoError(t, err)
			defer st.close()
			var rows, done int
			require.NoError(t, st.db.QueryRow(`SELECT count(*) FROM corinfo_trial`).Scan(&rows))
			require.NoError(t, st.db.QueryRow(`SELECT count(*) FROM river_job WHERE state = 'completed'`).Scan(&done))
			require.Equal(t, len(plan.Rows), rows)
			require.Equal(t, rows, done)
		})
	}
}

// Points that give the same network are one trial, and a folder may have any name.
func TestSameTrial(t *testing.T) {
	s, _ := fixture(t, gridStudy)
	same := *s
	same.Axes = []Axis{{Set: []string{"W.width"}, Values: []network.Scalar{"4", "8"}}, {Set: []string{"W0.width", "W.width"}, Values: []network.Scalar{"6", "12"}}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	folder := filepath.Join(t.TempDir(), "a?b#c %41")
	require.NoError(t, os.Mkdir(folder, 0o755))
	plan, err := Run(ctx, &same, Options{Folder: folder, Version: "test"})
	require.NoError(t, err)
	keys := map[string]bool{}
	for _, row := range plan.Rows {
		require.NotNil(t, row.Result)
		keys[row.Key] = true
	}
	require.Less(t, len(keys), len(plan.Rows))
	require.FileExists(t, filepath.Join(folder, DatabaseFile))
}

// TestNothingTwice: a study that is whole does no trial again, and one that shares trials with it only the others.
func TestNothingTwice(t *testing.T) {
	s, _ := fixture(t, gridStudy)
	folder := t.TempDir()
	most := atomic.Int64{}
	o := Options{Folder: folder, Version: "test", Progress: func(p Progress) { most.Store(int64(p.Now)) }}
	plan, err := Run(context.Background(), s, o)
	require.NoError(t, err)
	require.EqualValues(t, len(plan.Rows), most.Load())
	again, err := Run(context.Background(), s, o)
	require.NoError(t, err)
	require.Zero(t, most.Load())
	require.Equal(t, string(plan.CSV()), string(again.CSV()))

	wider := *s
	wider.Name = "wider"
	wider.Axes = append([]Axis{}, s.Axes...)
	wider.Axes[1].Values = append(wider.Axes[1].Values, "10")
	_, err = Run(context.Background(), &wider, o)
	require.NoError(t, err)
	require.EqualValues(t, 6, most.Load(), "3 widths and 2 seeds of the new value")

	o.Version = "another"
	_, err = Run(context.Background(), s, o)
	require.NoError(t, err)
	require.EqualValues(t, len(plan.Rows), most.Load(), "of another version nothing is taken over")
}

// TestInterrupted: a study whose context is cancelled after every few trials ends as if it had not been.
func TestInterrupted(t *testing.T) {
	s, _ := fixture(t, greedyStudy)
	_, want := alone(t, s)
	folder := t.TempDir()
	for runs := 1; ; runs++ {
		require.Less(t, runs, 40)
		ctx, cancel := context.WithCancel(context.Background())
		plan, err := Run(ctx, s, Options{Folder: folder, Version: "test", Progress: func(p Progress) {
			if p.Now >= 2 {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			require.Greater(t, runs, 1)
			require.Equal(t, string(want), string(plan.CSV()))
			return
		}
		require.ErrorIs(t, err, context.Canceled)
	}
}

// TestGivenRun: a run that the study names takes the place of a training, and gives what the training would have.
func TestGivenRun(t *testing.T) {
	s, file := fixture(t, strings.Replace(gridStudy, "seeds: [0, 1]", "seeds: [0]", 1))
	want, _ := alone(t, s)
	n := s.bases[0].Clone()
	run, _, err := training.NewCheckpoint(n, training.Float32, 0)
	require.NoError(t, err)
	data, err := dataset.Load(n.Dataset)
	require.NoError(t, err)
	_, err = training.Train(context.Background(), run, data, training.TrainOptions{Dir: filepath.Join(filepath.Dir(file), "given")})
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	named, err := Load(writeFile(t, filepath.Dir(file), "named.yaml", string(text)+"run: given\n"))
	require.NoError(t, err)
	got, err := Run(context.Background(), named, Options{Folder: t.TempDir(), Version: "test"})
	require.NoError(t, err)
	require.Len(t, got.Rows, len(want.Rows))
	for i, row := range got.Rows {
		x := *row.Result
		x.History = want.Rows[i].Result.History // the run's own is not the study's
		require.Equal(t, *want.Rows[i].Result, x)
	}
}

// TestUnfit: a worker whose machine lacks the data, or whose run is another, ends at once and says so.
func TestUnfit(t *testing.T) {
	s, file := fixture(t, gridStudy)
	require.NoError(t, os.MkdirAll(filepath.Join(filepath.Dir(file), "other"), 0o755))
	n := s.bases[0].Clone()
	n.Layers = []int{16, 5, 3}
	run, _, err := training.NewCheckpoint(n, training.Float, 0)
	require.NoError(t, err)
	require.NoError(t, run.Save(filepath.Join(filepath.Dir(file), "other")))
	text := "name: fixture\nnetwork: network.yaml\nrun: other\n" + strings.Replace(gridStudy, "seeds: [0, 1]", "seeds: [0]", 1)
	other, err := Load(writeFile(t, filepath.Dir(file), "other.yaml", text))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // ten attempts would take longer
	defer cancel()
	_, err = Run(ctx, other, Options{Folder: t.TempDir(), Version: "test"})
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "want a run of the study's network")
	_, err = Look(context.Background(), s, Options{Folder: filepath.Join(t.TempDir(), "none"), Version: "test"})
	require.ErrorIs(t, err, golden.ErrUsage)
}

// TestAlarm: a result that arrives again must be the same.
func TestAlarm(t *testing.T) {
	s, _ := fixture(t, gridStudy)
	folder := t.TempDir()
	plan, err := Run(context.Background(), s, Options{Folder: folder, Version: "test"})
	require.NoError(t, err)
	st, err := openStore(context.Background(), "", folder)
	require.NoError(t, err)
	defer st.close()
	row := plan.Rows[1]
	arrive := func(r *Result) error {
		tx, err := st.db.Begin()
		require.NoError(t, err)
		defer tx.Rollback()
		return put(context.Background(), tx, row.Key, row.Trial, r, nil)
	}
	require.NoError(t, arrive(row.Result))
	other := *row.Result
	other.Correct++
	err = arrive(&other)
	require.ErrorIs(t, err, ErrAlarm)
	require.ErrorContains(t, err, row.Key)
}

// TestFlippedBits: a result whose bits have flipped in the database is told of or done again, but never in the table.
func TestFlippedBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	s, _ := fixture(t, gridStudy)
	folder := t.TempDir()
	o := Options{Folder: folder, Version: "test"}
	plan, err := Run(context.Background(), s, o)
	require.NoError(t, err)
	path := filepath.Join(folder, DatabaseFile)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	rows := strings.Split(string(plan.CSV()), "\n")
	reset := func(file []byte) {
		for _, more := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(path + more)
		}
		require.NoError(t, os.WriteFile(path, file, 0o644))
	}

	// Anywhere in the file. What SQLite itself finds, or what makes a trial unknown, is none of ours.
	found := 0
	for range 60 {
		file := bytes.Clone(whole)
		at, bit := rng.IntN(len(file)), rng.IntN(8)
		file[at] ^= 1 << bit
		reset(file)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		seen, err := Look(ctx, s, o)
		cancel()
		if err != nil {
			found++
			continue
		}
		require.Subset(t, rows, strings.Split(string(seen.CSV()), "\n"), "bit %d of byte %d", bit, at)
	}
	t.Logf("%d of 60 told of", found)

	// In every column that a figure comes from.
	for _, column := range []string{"trial", "result", "checksum"} {
		reset(whole)
		st, err := openStore(context.Background(), "", folder)
		require.NoError(t, err)
		key, text := plan.Rows[1].Key, ""
		require.NoError(t, st.db.QueryRow(`SELECT `+column+` FROM corinfo_trial WHERE key = $1`, key).Scan(&text))
		digit := strings.LastIndexAny(text, "0123456789") // still a number
		changed := []byte(text)
		changed[digit] ^= 1
		_, err = st.db.Exec(`UPDATE corinfo_trial SET `+column+` = $1 WHERE key = $2`, string(changed), key)
		require.NoError(t, err)
		for what, err := range map[string]error{
			"report": func() error { _, err := Look(context.Background(), s, o); return err }(),
			"run":    func() error { _, err := Run(context.Background(), s, o); return err }(),
			"again": func() error {
				tx, err := st.db.Begin()
				require.NoError(t, err)
				defer tx.Rollback()
				return put(context.Background(), tx, key, plan.Rows[1].Trial, plan.Rows[1].Result, nil)
			}(),
		} {
			require.ErrorIs(t, err, golden.ErrDamaged, "%s, %s", column, what)
			require.ErrorContains(t, err, key)
			require.ErrorContains(t, err, "move study.db away")
		}
		require.NoError(t, st.close())
	}

	// In the queue: the result of another trial would have this one's name.
	other := *plan.Rows[1].Trial
	other.Test++
	w := &worker{active: map[int64]bool{}, wake: make(chan struct{}, 1)}
	reset(whole)
	w.store, err = openStore(context.Background(), "", folder)
	require.NoError(t, err)
	defer w.store.close()
	err = w.Work(context.Background(), &river.Job[trialJob]{JobRow: &rivertype.JobRow{}, Args: trialJob{"open", &other}})
	require.ErrorContains(t, err, "not that of its key")
	require.ErrorIs(t, w.failure(), golden.ErrDamaged)
}

// TestDiskFull: while results cannot be stored nothing is lost; with room the study goes on to the same table.
func TestDiskFull(t *testing.T) {
	s, _ := fixture(t, gridStudy)
	_, want := alone(t, s)
	folder := t.TempDir()
	require.NoError(t, Claim(folder))
	st, err := openStore(context.Background(), "", folder)
	require.NoError(t, err)
	var pages int
	require.NoError(t, st.db.QueryRow(`PRAGMA page_count`).Scan(&pages))
	require.NoError(t, st.close())

	testOptions = fmt.Sprintf("&_pragma=max_page_count(%d)", pages+12)
	t.Cleanup(func() { testOptions = "" })
	ctx, cancel := context.WithCancel(context.Background())
	var full error
	_, err = Run(ctx, s, Options{Folder: folder, Version: "test", Warn: func(err error) { full = err; cancel() }})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, full, "full")

	testOptions = ""
	plan, err := Run(context.Background(), s, Options{Folder: folder, Version: "test"})
	require.NoError(t, err)
	require.Equal(t, string(want), string(plan.CSV()))
}

// TestLostConnection: PostgreSQL is stopped at once and started again while a study runs, three times.
func TestLostConnection(t *testing.T) {
	address, restart := startPostgres(t)
	s, _ := fixture(t, greedyStudy)
	_, want := alone(t, s)
	restarts, lost := 0, atomic.Int64{}
	restarting := make(chan bool, 1)
	restarting <- false
	plan, err := Run(context.Background(), s, Options{Folder: t.TempDir(), Database: address, Version: "test", Lease: LeastLease, Warn: func(err error) { ; lost.Add(1) },
		Progress: func(p Progress) {
			if p.Now >= 2+4*restarts && restarts < 3 {
				select {
				case <-restarting:
					restarts++
					go func() { restart(); restarting <- false }()
				default:
				}
			}
		}})
	require.NoError(t, err)
	<-restarting
	require.Equal(t, 3, restarts)
	require.Positive(t, lost.Load())
	require.Equal(t, string(want), string(plan.CSV()))
}

// TestBadDatabase: what is no database is said, and who cannot be reached.
func TestBadDatabase(t *testing.T) {
	s, _ := fixture(t, gridStudy)
	_, err := Run(context.Background(), s, Options{Folder: t.TempDir(), Version: "test", Database: "mysql://x"})
	require.ErrorContains(t, err, "postgres://")
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err = Run(ctx, s, Options{Folder: t.TempDir(), Version: "test", Database: "postgres://x@/x?host=/nowhere"})
	require.Error(t, err)
	require.False(t, errors.Is(err, ErrAlarm))
}

// TestRedactedAddresses: no message shows a password, whatever the scheme, and wherever the address is broken.
func TestRedactedAddresses(t *testing.T) {
	s, _ := fixture(t, gridStudy)
	for _, address := range []string{
		"mysql://user:s3cret@host/x", "MYSQL://user:s3cret@host", "sqlite:///x?password=s3cret", "user:s3cret@host", "host=x password=s3cret", "mysql:user:s3cret@host",
		"mysql://user:1/s3cret@host", "https://s3cret@host", "postgres ://user:s3cret@host", "postgres:user:s3cret@host",
		"postgres://user:s3cret@host:port/x", "postgres://user:%zzs3cret@host/x", "postgresql://user:1/s3cret@host/x", "postgres://user:s3cret@[::1/x",
		"postgres://user@host/x?password=s3cret&sslmode=wrong", "postgres://user@host/x?sslmode=s3cret", "postgres://user:s3cret@host/x?sslrootcert=/nowhere",
		"postgres://user:a b:s3cret@host/x", "postgres://user:@s3cret@host:x/", "postgres://user:s3cret@/x?host=/nowhere",
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		_, err := Run(ctx, s, Options{Folder: t.TempDir(), Version: "test", Database: address})
		cancel()
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "s3cret", address)

	}
}

// TestSharedFormats: an inference trial has one format per kind of tensor for all layers, or, where the study wants that,
// each layer's own; what an axis sets for all layers is one line of its network file.
func TestSharedFormats(t *testing.T) {
	const study = "kind: inference\nepochs: 1\naxes:\n  - {set: [W.width], values: [8]}\n  - {set: [e2.width], values: [12]}\nsearch: {max_loss: 100}\n"
	multipliers := map[bool]int{}
	for _, perLayer := range []bool{false, true} {
		s, _ := fixture(t, fmt.Sprintf("%sper_layer: %t\n", study, perLayer))
		plan, _ := alone(t, s)
		best := plan.Recommended()
		require.NotNil(t, best)
		n, err := network.Parse("trial", []byte(best.Rows[0].Trial.Network))
		require.NoError(t, err)
		formats := map[string]string{}
		for key, f := range n.Formats {
			formats[key] = f.String()
		}
		require.Contains(t, formats, "W")
		require.NotContains(t, formats, "W0")
		require.Contains(t, formats, "e2")
		require.Equal(t, perLayer, formats["drive"] == "", "%v", formats)
		require.Equal(t, perLayer, formats["drive1"] != "", "%v", formats)
		multipliers[perLayer] = best.Rows[0].Result.Multipliers
	}
	require.Less(t, multipliers[false], multipliers[true])
}
