package training

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// newRun is the start of a run; nothing of goldentest.Run's weights misses its type.
func newRun(t testing.TB, arithmetic string) *Checkpoint {
	t.Helper()
	c, misfits, err := NewCheckpoint(goldentest.Run(), arithmetic, 5)
	require.NoError(t, err)
	require.Empty(t, misfits)
	return c
}

func TestCheckpointRoundTrip(t *testing.T) {
	for _, arithmetic := range []string{Float, Fixed} {
		c := newRun(t, arithmetic)
		c.Data, c.Limit, c.Epoch, c.Batch, c.Step = "abc", 100, 2, 3, 69
		c.Ranges = calibrate.Ranges{"r1": {Min: 0, Max: 0.75}}
		accuracy := 0.25
		figures := NetworkMetrics{Angles: []weights.Angle{{Layer: 1, Degrees: 80}}, Information: []Information{{0, 3.5, -2, nil}, {1, 2.5, 1, &accuracy}}, Activity: []Activity{{1, 0.1, 0.5, 0.25, []int{3, 1}}}}
		c.Start, c.Answers = &figures, Score{5, 9}
		c.History = []EpochMetrics{{Epoch: 1, TestAccuracy: 0.5, Samples: 99, TrainAccuracy: &accuracy, NetworkMetrics: figures}}
		dir := filepath.Join(t.TempDir(), "new", "run")
		require.NoError(t, c.Save(dir))
		back, err := LoadCheckpoint(dir)
		require.NoError(t, err)
		require.Equal(t, c, back)
		require.EqualValues(t, 5, back.Network.Seed)
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, files, 1, "temporary files are left")
	}
}

// TestCheckpointWeights: a fixed run's weights are those of the float run within half a last place.
func TestCheckpointWeights(t *testing.T) {
	exact, err := newRun(t, Float).Weights()
	require.NoError(t, err)
	require.Equal(t, weights.Initial(goldentest.Run().Describe(), 5), exact)
	c := newRun(t, Fixed)
	rounded, err := c.Weights()
	require.NoError(t, err)
	require.NotEqual(t, exact, rounded)
	m, _, err := StartMachine(c.Network, nil)
	require.NoError(t, err)
	for i, at := range m.A.D.Stored() {
		half := math.Ldexp(0.5, -m.A.Types[m.A.D.Projections[at].Tensor].Frac)
		require.Equal(t, m.A.D.Projections[at].Name, exact[i].Name)
		for j, v := range exact[i].RawMatrix().Data {
			require.InDelta(t, v, rounded[i].RawMatrix().Data[j], half, "%s %d", exact[i].Name, j)
		}
	}
	misfits, err := m.SetWeights(rounded) // words of their own types convert back to themselves
	require.NoError(t, err)
	require.Empty(t, misfits)
	require.Equal(t, c.Tensors, m.Tensors())

	c.Tensors[0].Name = "V0"
	_, err = c.Weights()
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "W0 is missing")
	c.Tensors = c.Tensors[1:]
	_, err = c.Weights()
	require.ErrorContains(t, err, "4 matrices; the network has 5")
}

func TestCheckpointMisfits(t *testing.T) {
	n := goldentest.Run()
	n.Formats = map[string]fx.Type{"x": {Format: fx.U(8, 8)}, "W1": {Format: fx.S(8, 8), Rounding: fx.Rnd, Overflow: fx.Sat}}
	_, misfits, err := NewCheckpoint(n, Fixed, 5)
	require.NoError(t, err)
	require.Len(t, misfits, 2)
	require.Equal(t, calibrate.Misfit{Tensor: "x", Type: "ap_ufixed<8,0,TRN,WRAP>", Count: 1, Of: 256, Worst: 1, Bits: 1}, misfits[0])
	require.Equal(t, "W1", misfits[1].Tensor) // Xavier's bound is above 1/2

	run := newRun(t, Float)
	run.Tensors[1].Values[2*4+3] = -7.25
	_, misfits, err = StartMachine(goldentest.Run(), run)
	require.NoError(t, err)
	require.Equal(t, []calibrate.Misfit{{Tensor: "W1", Type: "ap_fixed<16,2,STOCHASTIC,SAT>", Count: 1, Of: 20, Worst: -7.25, Bits: 4}}, misfits)
	_, _, err = NewCheckpoint(n, "int8", 0)
	require.EqualError(t, err, `wrong input: arithmetic "int8"; want float, float32 or fixed`)
}

// A machine takes all words of a fixed run, or, where a type differs, none but the synapses.
func TestStartWithOtherTypes(t *testing.T) {
	n := goldentest.Run()
	n.Learning.Optimizer.Kind, n.Learning.Optimizer.Momentum = rule.Momentum, 0.9
	run, _, err := NewCheckpoint(n, Fixed, 5)
	require.NoError(t, err)
	for i := range run.Tensors {
		for j := range run.Tensors[i].Words {
			run.Tensors[i].Words[j] = int64(j%7 - 3)
		}
	}
	other := *n
	short, err := fx.ParseType("ap_fixed<20,4,TRN_ZERO,SAT>")
	require.NoError(t, err)
	other.Formats = map[string]fx.Type{"mW1": short}
	for _, n := range []*network.Network{n, &other} {
		m, _, err := StartMachine(n, run)
		require.NoError(t, err)
		stored := len(n.Describe().Stored())
		for i, x := range m.Tensors() {
			if i < stored || n != &other {
				require.Equal(t, run.Tensors[i].Words, x.Words, x.Name)
			} else {
				require.Equal(t, make([]int64, len(x.Words)), x.Words, x.Name)
			}
		}
	}
}

// What does not fit when weights are converted is reported by tensor; NaN and infinity are errors.
func TestSetWeights(t *testing.T) {
	n := goldentest.Network([]int{4, 3, 2}, 1)
	short, err := fx.ParseType("ap_fixed<8,2,RND,SAT>")
	require.NoError(t, err)
	n.Formats = map[string]fx.Type{"W1": short}
	m, _, err := StartMachine(n, nil)
	require.NoError(t, err)
	w := weights.Initial(n.Describe(), 1)
	w.Named("W1").Set(0, 0, 2)
	w.Named("W1").Set(1, 2, -9)
	w.Named("W1").Set(1, 1, -2)
	misfits, err := m.SetWeights(w)
	require.NoError(t, err)
	require.Equal(t, []calibrate.Misfit{{Tensor: "W1", Type: "ap_fixed<8,2,RND,SAT>", Count: 2, Of: 6, Worst: -9, Bits: 5}}, misfits)
	require.EqualValues(t, -128, m.Synapse(1, 1, 2))
	w.Named("F1").Set(2, 1, math.NaN())
	_, err = m.SetWeights(w)
	require.ErrorIs(t, err, golden.ErrDamaged)
	require.ErrorContains(t, err, "weights: F1 row 2 column 1 is NaN")
}

// TestDamagedCheckpoint cuts a checkpoint after every byte and flips a bit of every byte.
func TestDamagedCheckpoint(t *testing.T) {
	for _, arithmetic := range []string{Float, Fixed} {
		whole, err := newRun(t, arithmetic).encode()
		require.NoError(t, err)
		refused := func(what string, i int, text []byte) {
			c, err := DecodeCheckpoint("run/checkpoint", text)
			require.Nil(t, c)
			require.ErrorIs(t, err, golden.ErrDamaged, "%s %d", what, i)
			require.ErrorContains(t, err, "damaged data: run/checkpoint: ")
		}
		for i := range whole {
			refused("cut at byte", i, whole[:i])
			text := bytes.Clone(whole)
			text[i] ^= 1 << (i % 8)
			refused("flip at byte", i, text)
		}
		refused("trailing byte", 0, append(bytes.Clone(whole), 0))

		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, CheckpointFile), whole[:len(whole)-1], 0o644))
		_, err = LoadCheckpoint(dir)
		require.EqualError(t, err, "damaged data: "+filepath.Join(dir, CheckpointFile)+
			": checksum differs: truncated or changed; restore it from a copy or train again")
	}
}

// forge changes the JSON of a checkpoint's header and gives it its checksum.
func forge(t *testing.T, whole []byte, from, to string) []byte {
	t.Helper()
	start := len(checkpointMagic) + 8
	length := int(binary.LittleEndian.Uint64(whole[len(checkpointMagic):]))
	text := string(whole[start : start+length])
	require.Contains(t, text, from)
	text = strings.Replace(text, from, to, 1)
	file := binary.LittleEndian.AppendUint64([]byte(checkpointMagic), uint64(len(text)))
	file = append(append(file, text...), whole[start+length:len(whole)-sha256.Size]...)
	sum := sha256.Sum256(file)
	return append(file, sum[:]...)
}

// TestForgedCheckpoint has headers that lie under a checksum that holds: nothing panics, nothing large is allocated.
func TestForgedCheckpoint(t *testing.T) {
	whole, err := newRun(t, Float).encode()
	require.NoError(t, err)
	for _, c := range [][2]string{
		{`"Rows":4,"Cols":6`, `"Rows":4611686018427387904,"Cols":4`},
		{`"Rows":4,"Cols":6`, `"Rows":1000000000,"Cols":6`},
		{`"Rows":4,"Cols":6`, `"Rows":-4,"Cols":-6`},
		{`"Rows":4,"Cols":6`, `"Rows":0,"Cols":6`},
		{`"Rows":4,"Cols":6`, `"Rows":4,"Cols":5`},
		{`"Rows":4,"Cols":6`, `"Rows":"four","Cols":6`},
		{`"Arithmetic":"float"`, `"Arithmetic":"decimal"`},
		{`"Epoch":0`, `"Epoch":-1`},
		{`"Step":0`, `"Step":-5`},
		{`layers: [6, 4, 5]`, `layers: [6, 0, 5]`},
		{`layers: [6, 4, 5]`, `layers: [6, 9999, 5]`},
		{`{"NetworkFile"`, `["NetworkFile"`},
		{`"Rows":4,"Cols":6,"Values":null`, `"Rows":4,"Cols":6,"Values":[0.5]`},
		{`"Rows":4,"Cols":6,"Values":null,"Words":null`, `"Rows":4,"Cols":6,"Words":[1]`},
	} {
		file := forge(t, whole, c[0], c[1])
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := DecodeCheckpoint("run/checkpoint", file)
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, golden.ErrDamaged, c[1])
		require.ErrorContains(t, err, "run/checkpoint: ")
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), c[1])
	}
	for _, length := range []uint64{0, uint64(len(whole)), 1 << 40, 1<<64 - 1} { // of the header
		file := bytes.Clone(whole[:len(whole)-sha256.Size])
		binary.LittleEndian.PutUint64(file[len(checkpointMagic):], length)
		sum := sha256.Sum256(file)
		_, err := DecodeCheckpoint("run/checkpoint", append(file, sum[:]...))
		require.ErrorIs(t, err, golden.ErrDamaged, length)
	}
	// Other shapes are whole, but no network's: the learner refuses them.
	c, err := DecodeCheckpoint("run/checkpoint", forge(t, whole, `"Rows":4,"Cols":6`, `"Rows":6,"Cols":4`))
	require.NoError(t, err)
	_, err = NewLearner(c)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "W0 is 6 x 4; the network wants 4 x 6")
}

func TestCheckpointRefusesNaN(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(-1)} {
		dir := t.TempDir()
		c := newRun(t, Float)
		require.NoError(t, c.Save(dir))
		c.Epoch = 1
		c.Tensors[1].Values[5] = v
		err := c.Save(dir)
		require.ErrorIs(t, err, golden.ErrDamaged)
		require.ErrorContains(t, err, "W1 row 1 column 1 is")
		c = newRun(t, Float)
		c.Ranges = calibrate.Ranges{"u1": {Min: 0, Max: v}}
		require.ErrorIs(t, c.Save(dir), golden.ErrDamaged)
		back, err := LoadCheckpoint(dir)
		require.NoError(t, err)
		require.Zero(t, back.Epoch)
	}
}

func TestNoCheckpoint(t *testing.T) {
	dir := t.TempDir()
	_, err := LoadCheckpoint(dir)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, dir+" holds no checkpoint; `corinfo train` makes one")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	_, err = LoadCheckpoint(filepath.Join(dir, "file"))
	require.Error(t, err)
	require.Error(t, newRun(t, Float).Save(filepath.Join(dir, "file")))
}

// TestCheckpointSeed: the run's seed rounds, not that of its network file.
func TestCheckpointSeed(t *testing.T) {
	c := newRun(t, Fixed)
	c.Network.Seed, c.Step = 99, 12
	l, err := NewLearner(c)
	require.NoError(t, err)
	m, ok := l.(*FixedLearner)
	require.True(t, ok)
	require.EqualValues(t, 5, m.Seed())
	require.EqualValues(t, 12, m.Step())
}

// TestFullDisk fills a small file system: the checkpoint before it stays, and nothing else is left.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a small file system: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	run := filepath.Join(dir, "run")
	c := newRun(t, Fixed)
	require.NoError(t, c.Save(run))
	before, err := os.ReadFile(filepath.Join(run, CheckpointFile))
	require.NoError(t, err)
	filler, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	require.NoError(t, filler.Close())

	c.Epoch = 1
	err = c.Save(run)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.False(t, errors.Is(err, golden.ErrDamaged) || errors.Is(err, golden.ErrUsage))
	require.EqualError(t, err, "write "+filepath.Join(run, CheckpointFile)+
		": no space left on device; the checkpoint before it is whole: make room or rights, then resume")
	after, err := os.ReadFile(filepath.Join(run, CheckpointFile))
	require.NoError(t, err)
	require.Equal(t, before, after)
	files, err := os.ReadDir(run)
	require.NoError(t, err)
	require.Len(t, files, 1)

	require.NoError(t, os.Remove(filler.Name()))
	require.NoError(t, c.Save(run))
}

// TestCheckpointNamesItsProgram: version and revision stay with a run, also with one that an older program wrote.
func TestCheckpointNamesItsProgram(t *testing.T) {
	dir, c := t.TempDir(), newRun(t, Fixed)
	require.Empty(t, c.Program)
	require.NoError(t, c.Save(dir))
	back, err := LoadCheckpoint(dir)
	require.NoError(t, err)
	require.Equal(t, golden.Program(), back.Program)
}

// A checkpoint whose header claims more than any header has is refused before it is read as JSON.
func TestLongHeader(t *testing.T) {
	file := binary.LittleEndian.AppendUint64([]byte(checkpointMagic), maxHeader+1)
	_, err := DecodeCheckpoint("run", append(file, make([]byte, 64)...))
	require.ErrorIs(t, err, golden.ErrDamaged)
}

// TestKilledWhileReplaced: a run whose folder has lost its name while it was being replaced comes back with the next command.
func TestKilledWhileReplaced(t *testing.T) {
	for name, use := range map[string]func(dir string) error{
		"checkpoint": func(dir string) error { _, err := ReadCheckpoint(dir); return err },
		"run":        func(dir string) error { l, err := LockRun(dir); l.Unlock(); return err },
	} {
		dir := filepath.Join(t.TempDir(), "dir")
		require.NoError(t, newRun(t, Float).Save(filepath.Join(filepath.Dir(dir), ".corinfo-old-dir")))
		require.NoError(t, use(dir), name)
		_, err := LoadCheckpoint(dir)
		require.NoError(t, err, name)
		entries, err := os.ReadDir(filepath.Dir(dir))
		require.NoError(t, err)
		require.Len(t, entries, 1, name)
	}
}

// TestRunUmask: a run's folder and checkpoint have the permissions that the umask leaves.
func TestRunUmask(t *testing.T) {
	for mask, want := range map[int][2]os.FileMode{0o022: {0o755, 0o644}, 0o077: {0o700, 0o600}} {
		dir := filepath.Join(t.TempDir(), "run")
		before := syscall.Umask(mask)
		err := newRun(t, Float).Save(dir)
		syscall.Umask(before)
		require.NoError(t, err)
		for path, mode := range map[string]os.FileMode{dir: want[0], filepath.Join(dir, CheckpointFile): want[1]} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, mode, info.Mode().Perm(), "%s under %o", path, mask)
		}
	}
}

// FuzzCheckpoint: nothing panics, and what loads can be saved again.
func FuzzCheckpoint(f *testing.F) {
	for _, arithmetic := range []string{Float, Fixed} {
		text, err := newRun(f, arithmetic).encode()
		require.NoError(f, err)
		f.Add(text[len(checkpointMagic)+8 : len(text)-sha256.Size])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		length := bytes.LastIndexByte(text, '}') + 1
		file := append(binary.LittleEndian.AppendUint64([]byte(checkpointMagic), uint64(length)), text...)
		sum := sha256.Sum256(file)
		c, err := DecodeCheckpoint("run/checkpoint", append(file, sum[:]...))
		if err != nil {
			require.ErrorIs(t, err, golden.ErrDamaged)
			return
		}
		_, err = c.encode()
		require.NoError(t, err)
		_, _ = NewLearner(c)
	})
}
