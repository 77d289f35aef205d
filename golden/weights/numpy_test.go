package weights

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
)

// TestNumPyReads: NumPy has the names, shapes, types and bits of what Write writes.
func TestNumPyReads(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	path := filepath.Join(t.TempDir(), "w.npz")
	n := goldentest.Network([]int{7, 5, 1, 3}, 1).Describe()
	for _, c := range []struct {
		dtype DType
		w     Weights
		name  string
	}{{NumPyFloat64, anyWeights(rng, n), "float64"}, {NumPyFloat32, Initial(n, rng.Uint32()), "float32"}} {
		require.NoError(t, write(path, n, c.w, c.dtype))
		out := goldentest.NumPy(t, `
for name, m in np.load(sys.argv[1]).items():
    print(name, m.dtype, m.flags.c_contiguous, *m.shape, *(float(v).hex() for v in m.flat))`, path)
		lines := bufio.NewScanner(strings.NewReader(out))
		for _, x := range c.w {
			rows, cols := x.Dims()
			require.True(t, lines.Scan())
			fields := strings.Fields(lines.Text())
			require.Equal(t, []string{x.Name, c.name, "True", strconv.Itoa(rows), strconv.Itoa(cols)}, fields[:5])
			require.Len(t, fields[5:], rows*cols)
			for i, text := range fields[5:] {
				got, err := strconv.ParseFloat(text, 64)
				require.NoError(t, err)
				want := x.RawMatrix().Data[i]
				if c.dtype == NumPyFloat32 {
					want = float64(float32(want))
				}
				require.Equal(t, fmt.Sprintf("%x", want), fmt.Sprintf("%x", got), "%s %d", x.Name, i) // -0 is not 0
			}
		}
		require.False(t, lines.Scan())
	}
}

// TestNumPyWrites: Read has the values of what NumPy writes, in any form.
func TestNumPyWrites(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	dir := t.TempDir()
	n := goldentest.Network([]int{40, 30, 1, 20}, 1).Describe()
	w := anyWeights(rng, n)
	ours := filepath.Join(dir, "ours.npz")
	require.NoError(t, write(ours, n, w, NumPyFloat64))
	theirs := filepath.Join(dir, "theirs.npz")
	for _, save := range []string{
		"np.savez(sys.argv[2], **w)",
		"np.savez_compressed(sys.argv[2], **w)",
		"np.savez_compressed(sys.argv[2], **{k: np.asfortranarray(v) for k, v in w.items()})",
		"np.savez(sys.argv[2], **{k: v.astype('>f8') for k, v in w.items()})",
		"np.savez(sys.argv[2], **{k: v.T.copy().T for k, v in w.items()})",
	} {
		goldentest.NumPy(t, "w = np.load(sys.argv[1])\n"+save, ours, theirs)
		back, err := read(theirs, n)
		require.NoError(t, err, save)
		require.Equal(t, bits(w), bits(back), save)
	}

	// Shorter numbers, against NumPy's own conversion to float64.
	w = Initial(n, rng.Uint32())
	require.NoError(t, write(ours, n, w, NumPyFloat64))
	for _, dtype := range []string{"<f4", ">f4", "<f2", ">f2"} {
		for _, save := range []string{"savez", "savez_compressed"} {
			for _, order := range []string{"C", "F"} {
				goldentest.NumPy(t, `
short = {k: v.astype(sys.argv[3], order=sys.argv[5]) for k, v in np.load(sys.argv[1]).items()}
getattr(np, sys.argv[4])(sys.argv[2], **short)
np.savez(sys.argv[1] + '.long.npz', **{k: v.astype('<f8') for k, v in short.items()})`, ours, theirs, dtype, save, order)
				back, err := read(theirs, n)
				require.NoError(t, err)
				want, err := read(ours+".long.npz", n)
				require.NoError(t, err)
				require.Equal(t, bits(want), bits(back), "%s %s %s", dtype, save, order)
				require.NotEqual(t, bits(w), bits(back), "the numbers are shorter")
			}
		}
	}
}

// TestNumPyErrors: NumPy's own files of other kinds are refused by what they are.
func TestNumPyErrors(t *testing.T) {
	dir := t.TempDir()
	n := goldentest.Run().Describe()
	ours, theirs := filepath.Join(dir, "ours.npz"), filepath.Join(dir, "theirs.npz")
	require.NoError(t, write(ours, n, Initial(n, 1), NumPyFloat64))
	for save, words := range map[string]string{
		"w['W0'] = w['W0'].astype(int)":                "W0: wrong input: dtype \"<i8\", integers",
		"w['W0'] = w['W0'].astype(complex)":            "complex numbers",
		"w['W0'] = w['W0'].astype(object)":             "Python objects",
		"w['W0'] = w['W0'].astype([('a', float)])":     "records",
		"w['W0'] = w['W0'].T":                          "transpose it with .T",
		"w['W0'] = w['W0'].ravel()":                    "shape (24,); the network wants (4, 6)",
		"w['W0'][1, 2] = np.nan":                       "W0: damaged data: row 1 column 2 is NaN",
		"w['V0'] = w.pop('W0')":                        `unknown array "V0"; did you mean "W0"?`,
		"del w['C2']":                                  "missing C2",
		"w['B1'] = w['C1']":                            "both B1 and C2",
		"w['C1'][0, 1] += abs(w['C1']).max() * 1.1e-3": "C1: wrong input: not symmetric: row 0 column 1",
	} {
		goldentest.NumPy(t, "w = dict(np.load(sys.argv[1]))\n"+save+"\nnp.savez(sys.argv[2], **w)", ours, theirs)
		_, err := read(theirs, n)
		require.ErrorContains(t, err, words, save)
	}
	goldentest.NumPy(t, "np.savez(sys.argv[1], np.zeros((2, 2)))", theirs)
	_, err := read(theirs, n)
	require.ErrorContains(t, err, `unknown array "arr_0"`)
}
