package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"github.com/stretchr/testify/require"
)

// anyWeights are weights of any finite bit pattern, lateral ones symmetric.
func anyWeights(rng *rand.Rand, n *rule.Description) Weights {
	value := func() float64 {
		for {
			if v := math.Float64frombits(rng.Uint64()); !math.IsNaN(v) && !math.IsInf(v, 0) {
				return [4]float64{v, rng.NormFloat64(), math.Copysign(0, v), math.Copysign(math.SmallestNonzeroFloat64, v)}[rng.IntN(4)]
			}
		}
	}
	w := Initial(n, rng.Uint32())
	for _, x := range w {
		x.Apply(func(_, _ int, _ float64) float64 { return value() }, x.Dense)
		if x.Name[0] == 'C' {
			for i := range x.RawMatrix().Rows {
				for j := range i {
					x.Set(i, j, x.At(j, i))
				}
			}
		}
	}
	return w
}

// bits are all values of weights as they lie in memory, so that -0 is not 0.
func bits(w Weights) []uint64 {
	var list []uint64
	for _, x := range w {
		list = append(list, uint64(x.RawMatrix().Rows), uint64(x.RawMatrix().Cols))
		for _, v := range x.RawMatrix().Data {
			list = append(list, math.Float64bits(v))
		}
	}
	return list
}

func TestNPZRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	through := func(n *rule.Description, w Weights, dtype DType) (Weights, []byte) {
		file, err := encodeNPZ(n, w, dtype, fileNames(n, nil))
		require.NoError(t, err)
		back, err := readArchive(n, file)
		require.NoError(t, err)
		return back, file
	}
	for range 200 {
		n := goldentest.Random(rng).Describe()
		w := anyWeights(rng, n)
		back, first := through(n, w, NumPyFloat64)
		require.Equal(t, bits(w), bits(back))
		_, second := through(n, back, NumPyFloat64)
		require.Equal(t, first, second, "equal weights give equal files")

		w = Initial(n, rng.Uint32())
		back, _ = through(n, w, NumPyFloat32)
		for _, x := range w {
			x.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, x.Dense)
		}
		require.Equal(t, bits(w), bits(back))
	}
}

func TestWriteNPZ(t *testing.T) {
	n := goldentest.Run().Describe()
	path := filepath.Join(t.TempDir(), "w.npz")
	for seed := range uint32(2) { // the second takes the first's place
		w := Initial(n, seed)
		require.NoError(t, write(path, n, w, NumPyFloat64))
		back, err := read(path, n)
		require.NoError(t, err)
		require.Equal(t, bits(w), bits(back))
	}
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "temporary files are left")
}

func TestWriteNPZErrors(t *testing.T) {
	n := goldentest.Run().Describe()
	dir := t.TempDir()
	path := filepath.Join(dir, "w.npz")
	w := Initial(n, 1)
	w.Named("W1").Set(2, 3, 1e39)
	require.EqualError(t, write(path, n, w, NumPyFloat32), "W1: wrong input: row 2 column 3: 1e+39 is beyond float32; write float64")
	require.NoError(t, write(path, n, w, NumPyFloat64))
	w.Named("W1").Set(2, 3, math.NaN())
	require.ErrorIs(t, write(path, n, w, NumPyFloat64), golden.ErrDamaged)
	_, err := read(path, n)
	require.NoError(t, err, "the file before it stays")
	w.Named("W1").Set(2, 3, 0)
	require.ErrorIs(t, write(dir, n, w, NumPyFloat64), golden.ErrUsage)
	require.ErrorContains(t, write(filepath.Join(dir, "no", "w.npz"), n, w, NumPyFloat64), "w.npz: no such file")
	require.ErrorIs(t, write(path, goldentest.Network([]int{6, 4, 6}, 1).Describe(), w, NumPyFloat64), golden.ErrUsage)
}

// npy is an array file of version 1 with a header of the caller's; it lacks what NumPy pads with.
func npy(header string, numbers any) []byte {
	text := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	out := bytes.NewBuffer(append(text, header...))
	_ = binary.Write(out, binary.LittleEndian, numbers)
	return out.Bytes()
}

func npyHeader(dtype, fortran, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", dtype, fortran, shape)
}

// entry is one file of an archive.
type entry struct {
	name string
	text []byte
}

func archive(t testing.TB, method uint16, entries ...entry) []byte {
	t.Helper()
	var file bytes.Buffer
	a := zip.NewWriter(&file)
	for _, e := range entries {
		f, err := a.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		require.NoError(t, err)
		_, err = f.Write(e.text)
		require.NoError(t, err)
	}
	require.NoError(t, a.Close())
	return file.Bytes()
}

// smallArchive are the arrays of a network of 2-2-1 neurons.
func smallArchive() (*rule.Description, []entry) {
	f64 := func(shape string, v ...float64) []byte { return npy(npyHeader("'<f8'", "False", shape), v) }
	return goldentest.Network([]int{2, 2, 1}, 1).Describe(), []entry{
		{"W0.npy", f64("(2, 2)", 1, 2, 3, 4)}, {"W1.npy", f64("(1, 2)", 5, 6)}, {"F1.npy", f64("(2, 1)", 7, 8)},
		{"C1.npy", f64("(2, 2)", 9, 10, 10, 11)}, {"C2.npy", f64("(1, 1)", 12)}}
}

// read and write are Read and Write by the rule's names.
func read(path string, n *rule.Description) (Weights, error) {
	w, _, err := Read(path, n, nil)
	return w, err
}

func write(path string, n *rule.Description, w Weights, dtype DType) error {
	_, err := Write(path, n, w, dtype, nil)
	return err
}

func readArchive(n *rule.Description, file []byte) (Weights, error) {
	w, _, err := readNPZ(bytes.NewReader(file), int64(len(file)), n, nil)
	return w, err
}

// TestReadNPZForms: what other writers may write.
func TestReadNPZForms(t *testing.T) {
	n, whole := smallArchive()
	want := []float64{1, 2, 3, 4}
	big := &bytes.Buffer{}
	big.Write(npy(npyHeader("'>f8'", "False", "(2, 2)"), []byte(nil)))
	require.NoError(t, binary.Write(big, binary.BigEndian, want))
	dict := "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }"
	second := append([]byte("\x93NUMPY\x02\x00"), byte(len(dict)), 0, 0, 0)
	second = append(append(second, dict...), npy("", want)[10:]...)
	third := bytes.Clone(second)
	third[6] = 3
	for name, text := range map[string][]byte{
		"float32":         npy(npyHeader("'<f4'", "False", "(2, 2)"), []float32{1, 2, 3, 4}),
		"float16":         npy(npyHeader("'<f2'", "False", "(2, 2)"), []uint16{0x3c00, 0x4000, 0x4200, 0x4400}),
		"big endian":      big.Bytes(),
		"fortran":         npy(npyHeader("'<f8'", "True", "(2, 2)"), []float64{1, 3, 2, 4}),
		"fortran float32": npy(npyHeader("'<f4'", "True", "(2, 2)"), []float32{1, 3, 2, 4}),
		"Python 2":        npy(npyHeader("'<f8'", "False", "(2L, 2L)"), want),
		"other order":     npy("{\"shape\":(2,2),'fortran_order':False,\n 'descr':\"<f8\"}", want),
		"version 2":       second,
		"version 3":       third,
	} {
		for _, method := range []uint16{zip.Store, zip.Deflate} {
			w, err := readArchive(n, archive(t, method, append([]entry{{"W0.npy", text}}, whole[1:]...)...))
			require.NoError(t, err, name)
			require.Equal(t, want, w.Named("W0").RawMatrix().Data, name)
			require.Equal(t, []float64{5, 6, 7, 8, 9, 10, 10, 11, 12}, append(append(append(append([]float64{},
				w.Named("W1").RawMatrix().Data...), w.Named("F1").RawMatrix().Data...), w.Named("C1").RawMatrix().Data...), w.Named("C2").RawMatrix().Data...))
		}
	}
}

// TestReadNPZInverse: C = gamma B.
func TestReadNPZInverse(t *testing.T) {
	_, whole := smallArchive()
	small := goldentest.Network([]int{2, 2, 1}, 1)
	goldentest.CorInfoMax(small).Lambda = 0.8 // gamma 1/4
	n := small.Describe()
	whole[3].name, whole[4].name = "B1.npy", "B2.npy"
	w, err := readArchive(n, archive(t, zip.Store, whole...))
	require.NoError(t, err)
	for i, v := range []float64{2.25, 2.5, 2.5, 2.75} {
		require.InEpsilon(t, v, w.Named("C1").RawMatrix().Data[i], 1e-15)
	}
	require.InEpsilon(t, 3, w.Named("C2").At(0, 0), 1e-15)
}

func TestReadNPZErrors(t *testing.T) {
	f64 := func(v ...float64) []byte { return npy(npyHeader("'<f8'", "False", "(2, 2)"), v) }
	n, whole := smallArchive()
	without := func(name string) []entry {
		var list []entry
		for _, e := range whole {
			if e.name != name {
				list = append(list, e)
			}
		}
		require.Len(t, list, len(whole)-1)
		return list
	}
	with := func(name string, text []byte) []entry { return append(without(name), entry{name, text}) }
	typed := func(dtype string) []entry {
		return with("W0.npy", npy(npyHeader(dtype, "False", "(2, 2)"), make([]float64, 8)))
	}
	for name, c := range map[string]struct {
		entries []entry
		kind    error
		words   string
	}{
		"unknown": {append(whole[:5:5], entry{"W2.npy", f64()}), golden.ErrUsage,
			`unknown array "W2"; did you mean "W0"? The network has W0, W1, F1, C1, C2, or B1, B2 in the place of the last`},
		"case":       {append(whole[:5:5], entry{"c2.npy", f64()}), golden.ErrUsage, `unknown array "c2"; did you mean "C2"`},
		"positional": {[]entry{{"arr_0.npy", f64()}}, golden.ErrUsage, `unknown array "arr_0"`},
		"PyTorch":    {[]entry{{"archive/data.pkl", nil}}, golden.ErrUsage, `"archive/data.pkl" in the archive is no array of NumPy (.npy)`},
		"no suffix":  {append(without("W0.npy"), entry{"W0", f64(1, 2, 3, 4)}), golden.ErrUsage, `"W0" in the archive is no array`},
		"empty":      {nil, golden.ErrUsage, "missing W0, W1, F1, C1, C2;"},
		"missing":    {without("F1.npy"), golden.ErrUsage, "missing F1;"},
		"doubled":    {append(whole[:5:5], whole[1]), golden.ErrUsage, "two arrays W1"},
		"both": {append(whole[:5:5], entry{"B2.npy", f64()}), golden.ErrUsage,
			"both B2 and C2; give all of these matrices under one of their names"},
		"mixed":     {append(without("C1.npy"), entry{"B1.npy", f64()}), golden.ErrUsage, "both B1 and C2"},
		"half of B": {append(whole[:3:3], entry{"B1.npy", f64()}), golden.ErrUsage, "missing B2;"},
		"shape": {with("W0.npy", npy(npyHeader("'<f8'", "False", "(4, 1)"), []float64{1, 2, 3, 4})), golden.ErrUsage,
			"W0: wrong input: shape (4, 1); the network wants (2, 2)"},
		"transposed": {with("W1.npy", npy(npyHeader("'<f8'", "False", "(2, 1)"), []float64{1, 2})), golden.ErrUsage,
			"W1: wrong input: shape (2, 1); the network wants (1, 2): transpose it with .T"},
		"flat":   {with("W0.npy", npy(npyHeader("'<f8'", "False", "(4,)"), []float64{1, 2, 3, 4})), golden.ErrUsage, "shape (4,); the network wants"},
		"scalar": {with("W0.npy", npy(npyHeader("'<f8'", "False", "()"), 1.0)), golden.ErrUsage, "shape (); the network wants"},
		"three": {with("W0.npy", npy(npyHeader("'<f8'", "False", "(1, 2, 2)"), []float64{1, 2, 3, 4})), golden.ErrUsage,
			"shape (1, 2, 2); the network wants"},
		"bomb": {with("W0.npy", npy(npyHeader("'<f8'", "False", "(9000000000, 9000000000)"), 1.0)), golden.ErrUsage,
			"shape (9000000000, 9000000000); the network wants"},
		"overflow": {with("W0.npy", npy(npyHeader("'<f8'", "False", "(99999999999999999999, 1)"), 1.0)), golden.ErrDamaged,
			"shape (99999999999999999999, 1)"},
		"negative": {with("W0.npy", npy(npyHeader("'<f8'", "False", "(-2, 2)"), 1.0)), golden.ErrDamaged, "lacks"},
		"int": {typed("'<i8'"), golden.ErrUsage,
			`W0: wrong input: dtype "<i8", integers; want float64, float32 or float16: convert it with .astype('float64')`},
		"unsigned":     {typed("'|u1'"), golden.ErrUsage, `dtype "|u1", integers;`},
		"bool":         {typed("'|b1'"), golden.ErrUsage, `dtype "|b1"; want`},
		"complex":      {typed("'<c16'"), golden.ErrUsage, `dtype "<c16", complex numbers;`},
		"object":       {typed("'|O'"), golden.ErrUsage, `dtype "|O", Python objects;`},
		"text":         {typed("'<U8'"), golden.ErrUsage, `dtype "<U8"; want`},
		"long double":  {typed("'<f16'"), golden.ErrUsage, `dtype "<f16"; want`},
		"records":      {typed("[('a', '<f8')]"), golden.ErrUsage, `, records;`},
		"NaN":          {with("W0.npy", f64(1, 2, math.NaN(), 4)), golden.ErrDamaged, "W0: damaged data: row 1 column 0 is NaN"},
		"infinity":     {with("C1.npy", f64(1, 2, 2, math.Inf(-1))), golden.ErrDamaged, "C1: damaged data: row 1 column 1 is -Inf"},
		"half NaN":     {with("W0.npy", npy(npyHeader("'<f2'", "False", "(2, 2)"), []uint16{0x7e00, 0, 0, 0})), golden.ErrDamaged, "row 0 column 0 is NaN"},
		"short":        {with("W0.npy", f64(1, 2, 3)), golden.ErrDamaged, "W0: damaged data: the array ends too early"},
		"long":         {with("W0.npy", f64(1, 2, 3, 4, 5)), golden.ErrDamaged, "W0: damaged data: the array has more numbers than its shape (2, 2)"},
		"nothing":      {with("W0.npy", nil), golden.ErrDamaged, "the array ends too early"},
		"no array":     {with("W0.npy", []byte("PK\x03\x04 years of work")), golden.ErrDamaged, "not a NumPy array"},
		"version":      {with("W0.npy", []byte("\x93NUMPY\x04\x00\x00\x00")), golden.ErrUsage, "version 4 of NumPy's array format"},
		"long header":  {with("W0.npy", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff")), golden.ErrDamaged, "array header of 4294967295 bytes"},
		"empty header": {with("W0.npy", npy("", 1.0)), golden.ErrDamaged, "lacks descr, fortran_order or shape"},
		"not symmetric": {with("C1.npy", f64(1, 0.25, 0.2521, -2)), golden.ErrUsage,
			"C1: wrong input: not symmetric: row 0 column 1 is 0.25, row 1 column 0 is 0.2521; mirrored elements may differ by 0.001 of the largest, 0.002:"},
		"not symmetric B": {append(whole[:3:3], entry{"B1.npy", f64(1, 2, 3, 4)}, entry{"B2.npy", whole[4].text}), golden.ErrUsage,
			"B1: wrong input: not symmetric"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []uint16{zip.Store, zip.Deflate} {
				w, err := readArchive(n, archive(t, method, c.entries...))
				require.Nil(t, w)
				require.ErrorIs(t, err, c.kind)
				require.ErrorContains(t, err, c.words)
			}
		})
	}
	w, err := readArchive(n, archive(t, zip.Store, with("C1.npy", f64(1, 0.25, 0.2519, -2))...))
	require.NoError(t, err)
	require.Equal(t, []float64{1, 0.25, 0.2519, -2}, w.Named("C1").RawMatrix().Data, "rounding noise stays as it is")
}

// TestReadNPZFiles: what is no archive at all.
func TestReadNPZFiles(t *testing.T) {
	n, whole := smallArchive()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text  []byte
		words string
	}{
		"a.npy":    {whole[0].text, "a.npy: wrong input: a single array; want an archive of all: numpy.savez"},
		"text.npz": {[]byte("years of work"), "text.npz: wrong input: no .npz archive; numpy.savez"},
		"null.npz": {nil, "null.npz: wrong input: no .npz archive"},
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, c.text, 0o644))
		_, err := read(path, n)
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, c.words)
	}
	_, err := read(filepath.Join(dir, "none.npz"), n)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "none.npz: no such file")
	_, err = read(dir, n)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, dir+" is a folder; want a regular file")
}

// TestDamagedNPZ cuts an archive after every byte and flips every bit: it is refused or gives the same weights.
func TestDamagedNPZ(t *testing.T) {
	n, whole := smallArchive()
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		file := archive(t, method, whole...)
		want, err := readArchive(n, file)
		require.NoError(t, err)
		for i := range file {
			_, err := readArchive(n, file[:i])
			require.Error(t, err, "cut at byte %d", i)
		}
		refused := 0
		for i := range 8 * len(file) {
			text := bytes.Clone(file)
			text[i/8] ^= 1 << (i % 8)
			w, err := readArchive(n, text)
			if err != nil {
				require.True(t, strings.Contains(err.Error(), golden.ErrDamaged.Error()) || strings.Contains(err.Error(), golden.ErrUsage.Error()), "%v", err)
				refused++
				continue
			}
			require.Equal(t, want, w, "bit %d", i)
		}
		require.Greater(t, refused, 8*5*80, "every bit of the arrays at least")
	}
}

func TestHalf(t *testing.T) {
	for word, want := range map[uint16]float64{0: 0, 1: 0x1p-24, 0x3ff: 1023 * 0x1p-24, 0x400: 0x1p-14, 0x3555: 0.333251953125, 0x3c00: 1,
		0xc000: -2, 0x7bff: 65504, 0xfbff: -65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1)} {
		require.Equal(t, want, half(word))
	}
	require.True(t, math.Signbit(half(0x8000)))
	require.True(t, math.IsNaN(half(0x7c01)))
}

// FuzzReadNPZ gives the reader arrays in a whole archive, since a checksum keeps damage from it, and as a whole file.
func FuzzReadNPZ(f *testing.F) {
	n, whole := smallArchive()
	for _, e := range whole {
		f.Add(e.text)
	}
	f.Add(archive(f, zip.Deflate, whole...))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = readArchive(n, text)
		entries := append([]entry{{"W0.npy", text}}, whole[1:]...)
		w, err := readArchive(n, archive(t, zip.Store, entries...))
		if err != nil {
			return
		}
		require.NoError(t, w.Check(n))
		file, err := encodeNPZ(n, w, NumPyFloat64, fileNames(n, nil))
		require.NoError(t, err)
		back, err := readArchive(n, file)
		require.NoError(t, err)
		require.Equal(t, bits(w), bits(back))
	})
}
