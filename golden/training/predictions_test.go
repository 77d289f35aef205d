package training

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
)

// predictionSet is more than a block of Evaluate, so that samples come in several.
func predictionSet() *dataset.Set {
	rng := rand.New(rand.NewPCG(4, 2))
	s := &dataset.Set{Size: 6, Labels: make([]uint8, 2*evaluationBlock+7)}
	for i := range s.Labels {
		s.Labels[i] = uint8(rng.IntN(5))
		for range 6 {
			s.Pixels = append(s.Pixels, uint8(rng.IntN(256)))
		}
	}
	return s
}

// The files hold what the model answers, sample by sample in the set's order and to the bit, in every arithmetic.
func TestPredict(t *testing.T) {
	set := predictionSet()
	samples := make([][]uint8, set.Len())
	for i := range samples {
		samples[i] = set.Sample(i)
	}
	for _, arithmetic := range []string{Float, Float32, Fixed} {
		c := newRun(t, arithmetic)
		n := c.Network
		l, err := NewLearner(c)
		require.NoError(t, err)
		states, classes := l.States(samples), make([]int, len(samples))
		l.Classify(samples, classes)
		want, err := Evaluate(t.Context(), l, set, 5, nil)
		require.NoError(t, err)
		for _, all := range []bool{false, true} {
			for _, ending := range []string{".csv", ".npz"} {
				file := filepath.Join(t.TempDir(), "answers"+ending)
				e, err := Predict(t.Context(), l, set, n, file, all, nil)
				require.NoError(t, err)
				require.Equal(t, want, e)
				columns := []*mat.Dense{states[2]}
				if all {
					columns = append(columns, states...)
				}
				if ending == ".csv" {
					checkTable(t, file, set.Labels, classes, columns)
				} else {
					checkArchive(t, file, set.Labels, classes, columns)
				}
			}
		}
	}
}

func checkTable(t *testing.T, file string, labels []uint8, classes []int, columns []*mat.Dense) {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	head := []string{"label", "class"}
	for i, m := range columns {
		for j := range m.RawMatrix().Cols {
			if i == 0 {
				head = append(head, fmt.Sprint("score", j))
			} else {
				head = append(head, fmt.Sprintf("r%d_%d", i-1, j))
			}
		}
	}
	require.Equal(t, head, rows[0])
	require.Len(t, rows, len(labels)+1)
	for i, row := range rows[1:] {
		want := []string{strconv.Itoa(int(labels[i])), strconv.Itoa(classes[i])}
		for _, m := range columns {
			for _, v := range m.RawRowView(i) {
				want = append(want, strconv.FormatFloat(v, 'g', -1, 64))
			}
		}
		require.Equal(t, want, row, "sample %d", i)
	}
}

func checkArchive(t *testing.T, file string, labels []uint8, classes []int, columns []*mat.Dense) {
	t.Helper()
	archive, err := zip.OpenReader(file)
	require.NoError(t, err)
	defer archive.Close()
	require.Len(t, archive.File, 2+len(columns))
	for i, m := range columns {
		name := fmt.Sprint("r", i-1)
		if i == 0 {
			name = "scores"
		}
		require.Equal(t, name+".npy", archive.File[2+i].Name)
		rows, cols := m.Dims()
		want := fmt.Sprintf("float64 %d %d", rows, cols)
		for row := range rows {
			for _, v := range m.RawRowView(row) {
				want += " " + strconv.FormatUint(math.Float64bits(v), 10)
			}
		}
		require.Equal(t, want+"\n", goldentest.NumPy(t, `
m = np.load(sys.argv[1])[sys.argv[2]]
print(m.dtype, *m.shape, *np.ascontiguousarray(m).view(np.uint64).flat)`, file, name))
	}
	out := goldentest.NumPy(t, `
a = np.load(sys.argv[1])
assert a['label'].dtype == np.int64 and a['label'].shape == (len(a['scores']),), a['label']
assert list(a['class']) == list(a['scores'].argmax(1))
print(*a['label'], *a['class'])`, file)
	want := ""
	for _, label := range labels {
		want += fmt.Sprint(label, " ")
	}
	for i, class := range classes {
		want += fmt.Sprint(class)
		if i < len(classes)-1 {
			want += " "
		}
	}
	require.Equal(t, want+"\n", out)
}

// What fails of the file does no harm to the evaluation; a stopped one leaves no file.
func TestPredictErrors(t *testing.T) {
	c, set, dir := newRun(t, Fixed), predictionSet(), t.TempDir()
	l, err := NewLearner(c)
	require.NoError(t, err)
	predict := func(ctx context.Context, l Learner, file string) (*Evaluation, error) {
		return Predict(ctx, l, set, c.Network, file, true, nil)
	}
	for file, words := range map[string]string{
		"answers.txt":    "ends with .csv or .npz",
		"answers":        "ends with .csv or .npz",
		"none/x.csv":     "no folder " + filepath.Join(dir, "none"),
		"folder.npz":     "is a folder",
		"file/below.csv": "no folder",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "folder.npz"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
		e, err := predict(t.Context(), l, filepath.Join(dir, file))
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, words)
		require.Nil(t, e)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, file := range []string{"x.csv", "x.npz"} {
		_, err = predict(stopped, l, filepath.Join(dir, file))
		require.ErrorIs(t, err, context.Canceled)
		require.NoFileExists(t, filepath.Join(dir, file))
	}

	// The file's name becomes a folder while the model works: renaming fails.
	file := filepath.Join(dir, "late.csv")
	e, err := predict(t.Context(), &meddler{Learner: l, do: func() { require.NoError(t, os.MkdirAll(filepath.Join(file, "full"), 0o755)) }}, file)
	require.ErrorContains(t, err, "write "+file)
	require.NotNil(t, e)
	require.Equal(t, set.Len(), e.Samples)
	left, err := filepath.Glob(filepath.Join(dir, ".corinfo-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// meddler does something before it answers.
type meddler struct {
	Learner
	do func()
}

func (m *meddler) States(samples [][]uint8) []*mat.Dense {
	m.do()
	return m.Learner.States(samples)
}
