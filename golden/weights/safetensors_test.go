package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
)

func readTensors(n *rule.Description, file []byte) (Weights, error) {
	w, _, err := readSafetensors(bytes.NewReader(file), int64(len(file)), n, nil)
	return w, err
}

// tensorsFile is one with a header as it stands.
func tensorsFile(header string, numbers ...float64) []byte {
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	for _, v := range numbers {
		file = binary.LittleEndian.AppendUint64(file, math.Float64bits(v))
	}
	return file
}

// smallTensors are the entries of a header, and the numbers, of a network of 2-2-1 neurons under ep.
func smallTensors() (n *rule.Description, entries []string, numbers []float64) {
	small := goldentest.Of("ep")
	small.Layers = []int{2, 2, 1}
	return small.Describe(), []string{
		`"W0":{"dtype":"F64","shape":[2,2],"data_offsets":[0,32]}`,
		`"W1":{"dtype":"F64","shape":[1,2],"data_offsets":[32,48]}`,
		`"b1":{"dtype":"F64","shape":[2],"data_offsets":[48,64]}`,
		`"b2":{"dtype":"F64","shape":[1,1],"data_offsets":[64,72]}`,
	}, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}
}

func TestSafetensorsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	through := func(n *rule.Description, w Weights, dtype DType, layers []string) (Weights, []byte) {
		file, err := encodeSafetensors(n, w, dtype, fileNames(n, layers))
		require.NoError(t, err)
		back, err := readTensors(n, file)
		require.NoError(t, err)
		return back, file
	}
	for i := range 200 {
		random := goldentest.Random(rng)
		n := random.Describe()
		layers, err := ParseLayers(n, []string{"rule", "torch"}[i%2])
		require.NoError(t, err)
		w := anyWeights(rng, n)
		back, first := through(n, w, NumPyFloat64, layers)
		require.Equal(t, bits(w), bits(back))
		_, second := through(n, back, NumPyFloat64, layers)
		require.Equal(t, first, second, "equal weights give equal files")
		header := binary.LittleEndian.Uint64(first)
		require.Zero(t, header%8, "the numbers are aligned")
		require.Len(t, first, 8+int(header)+8*n.Synapses())

		w = Initial(n, rng.Uint32())
		back, _ = through(n, w, NumPyFloat32, layers)
		for _, x := range w {
			x.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, x.Dense)
		}
		require.Equal(t, bits(w), bits(back))
	}
}

func TestWriteSafetensors(t *testing.T) {
	n := goldentest.Of("csm").Describe()
	dir := t.TempDir()
	w := Initial(n, 1)
	for _, name := range []string{"w.safetensors", "W.SafeTensors", "w.npz"} {
		path := filepath.Join(dir, name)
		for _, c := range []struct{ names, want string }{
			{"rule", "W0 W1 b1 b2 M1"}, {"torch", "0.weight 2.weight 0.bias 2.bias M1"},
			{"fc1,out", "fc1.weight out.weight fc1.bias out.bias M1"},
			{".layers[0].nn,.layers[1].nn", ".layers[0].nn.weight .layers[1].nn.weight .layers[0].nn.bias .layers[1].nn.bias M1"},
		} {
			layers, err := ParseLayers(n, c.names)
			require.NoError(t, err)
			names, err := Write(path, n, w, NumPyFloat64, layers)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(names, " "))
			back, found, err := Read(path, n, layers)
			require.NoError(t, err)
			require.Equal(t, bits(w), bits(back))
			require.Equal(t, names, found)
			if c.names == "fc1,out" {
				_, _, err := Read(path, n, nil)
				require.ErrorContains(t, err, "no number tells whether layer fc1 or out comes first: say it by --names fc1,out")
				continue
			}
			back, _, err = Read(path, n, nil)
			require.NoError(t, err)
			require.Equal(t, bits(w), bits(back))
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "w.safetensors"))
	require.NoError(t, err)
	require.Equal(t, byte('{'), text[8])
	w.Named("W1").Set(0, 3, -1e39)
	path := filepath.Join(dir, "w.safetensors")
	require.EqualError(t, write(path, n, w, NumPyFloat32), "W1: wrong input: row 0 column 3: -1e+39 is beyond float32; write float64")
	w.Named("W1").Set(0, 3, math.Inf(1))
	require.ErrorIs(t, write(path, n, w, NumPyFloat64), golden.ErrDamaged)
	same, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, text, same, "the file before it stays")
}

// TestPythonFiles: what safetensors of Python wrote (testdata/make.py).
func TestPythonFiles(t *testing.T) {
	small := goldentest.Of("ep")
	small.Layers = []int{4, 3, 2}
	n := small.Describe()
	for name, want := range map[string]string{
		"torch.safetensors": "0.weight 2.weight 0.bias 2.bias",
		"types.safetensors": "W0 W1 b1 b2",
	} {
		w, names, err := Read(filepath.Join("testdata", name), n, nil)
		require.NoError(t, err)
		require.Equal(t, want, strings.Join(names, " "))
		for _, x := range w {
			for i, v := range x.RawMatrix().Data {
				require.Equal(t, float64(i-3)/8, v, "%s: %s", name, x.Name)
			}
		}
	}
}

// TestNumPyReadsSafetensors: a reader in a few lines of Python, and safetensors where it is installed, has the names,
// shapes and bits of what Write writes.
func TestNumPyReadsSafetensors(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	n := goldentest.Network([]int{7, 5, 1, 3}, 1).Describe()
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "w.safetensors"), filepath.Join(dir, "w.npz")
	for _, dtype := range []DType{NumPyFloat64, NumPyFloat32} {
		w := Initial(n, rng.Uint32())
		require.NoError(t, write(ours, n, w, dtype))
		goldentest.NumPy(t, `
import json
file = open(sys.argv[1], "rb").read()
start = 8 + int.from_bytes(file[:8], "little")
header = json.loads(file[8:start])
assert all(type(v) is str for v in header.pop("__metadata__").values())
w = {}
for name, x in header.items():
    a, b = x["data_offsets"]
    w[name] = np.frombuffer(file[start + a:start + b], {"F64": "<f8", "F32": "<f4"}[x["dtype"]]).reshape(x["shape"])
try:
    import safetensors.numpy
except ImportError:
    pass
else:
    other = safetensors.numpy.load_file(sys.argv[1])
    assert w.keys() == other.keys() and all(np.array_equal(w[k], other[k]) for k in w)
np.savez(sys.argv[2], **w)`, ours, theirs)
		want, err := read(ours, n)
		require.NoError(t, err)
		got, err := read(theirs, n)
		require.NoError(t, err)
		require.Equal(t, bits(want), bits(got))
	}
}

func TestReadSafetensorsForms(t *testing.T) {
	n, entries, numbers := smallTensors()
	list := strings.Join(entries, ",")
	for name, header := range map[string]string{
		"plain":      "{" + list + "}",
		"padded":     "{" + list + "}    \n",
		"metadata":   `{"__metadata__":{"format":"pt","":"\u00e9"},` + list + "}",
		"last":       "{" + list + `,"__metadata__":{}}`,
		"spaces":     strings.NewReplacer(",", " ,\n", ":", " : ").Replace("{" + list + "}"),
		"escaped":    strings.Replace("{"+list+"}", `"W0"`, `"\u00570"`, 1),
		"order":      "{" + strings.Join([]string{entries[3], entries[1], entries[0], entries[2]}, ",") + "}",
		"other keys": "{" + strings.Replace(list, `"dtype":"F64","shape":[2,2]`, `"shape":[2,2],"dtype":"F64"`, 1) + "}",
		"matrix":     "{" + strings.Replace(list, "[2],", "[2,1],", 1) + "}",
		"vector":     "{" + strings.Replace(list, "[1,1]", "[1]", 1) + "}",
		"torch": "{" + strings.NewReplacer(`"W0"`, `"net.3.weight"`, `"W1"`, `"net.10.weight"`, `"b1"`, `"net.3.bias"`,
			`"b2"`, `"net.10.bias"`).Replace(list) + "}",
	} {
		w, err := readTensors(n, tensorsFile(header, numbers...))
		require.NoError(t, err, name)
		var got []float64
		for _, x := range w {
			got = append(got, x.RawMatrix().Data...)
		}
		require.Equal(t, numbers, got, name)
	}
}

func TestReadSafetensorsErrors(t *testing.T) {
	n, entries, numbers := smallTensors()
	list := strings.Join(entries, ",")
	with := func(old, by string) []byte {
		require.Contains(t, list, old)
		return tensorsFile("{"+strings.Replace(list, old, by, 1)+"}", numbers...)
	}
	plus := func(more string) []byte { return tensorsFile("{"+list+","+more+"}", numbers...) }
	number := func(at int, v float64) []byte {
		changed := append([]float64{}, numbers...)
		changed[at] = v
		return tensorsFile("{"+list+"}", changed...)
	}
	empty := func(name string) string {
		return fmt.Sprintf(`"%s":{"dtype":"F64","shape":[0],"data_offsets":[72,72]}`, name)
	}
	whole := tensorsFile("{"+list+"}", numbers...)
	long := tensorsFile("{"+list+strings.Repeat(" ", maxTensorsHeader)+"}", numbers...)
	for name, c := range map[string]struct {
		file  []byte
		kind  error
		words string
	}{
		"nothing":     {nil, golden.ErrUsage, "no .safetensors file; safetensors.torch.save_file(model.state_dict(), FILE.safetensors)"},
		"text":        {[]byte("years of work"), golden.ErrUsage, "no .safetensors file"},
		"zip":         {[]byte("PK\x03\x04 years of work"), golden.ErrUsage, "a zip archive; rename one of NumPy to FILE.npz"},
		"cut":         {whole[:len(whole)-1], golden.ErrDamaged, `"b2" ends at byte 72 of the numbers; there are 71; copy or save it again`},
		"header":      {whole[:100], golden.ErrDamaged, "truncated or changed: a header of"},
		"huge header": {append([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"), whole[8:]...), golden.ErrDamaged, "a header of 18446744073709551615 bytes in a file of"},
		"long header": {long, golden.ErrUsage, "that of a network has at most 1048576: save the network's arrays only, without metadata"},
		"more":        {append(whole[:len(whole):len(whole)], 0), golden.ErrDamaged, "73 bytes of numbers; the arrays have 72"},
		"no JSON":     {tensorsFile("{years of work}"), golden.ErrDamaged, "header: invalid character"},
		"open":        {tensorsFile("{" + list), golden.ErrDamaged, "header: unexpected EOF"},
		"behind":      {tensorsFile("{"+list+"} {}", numbers...), golden.ErrDamaged, `"{}" behind its end`},
		"UTF-8":       {with(`"W0"`, "\"W0\xff\""), golden.ErrDamaged, "not UTF-8"},
		"list":        {with(`{"dtype":"F64","shape":[2,2],"data_offsets":[0,32]}`, "[]"), golden.ErrDamaged, `"W0": [ in the place of {`},
		"number":      {with(`"F64"`, "64"), golden.ErrDamaged, `"W0": 64 in the place of a text`},
		"null":        {with("[2,2]", "null"), golden.ErrDamaged, `"W0": <nil> in the place of [`},
		"deep":        {with("[2,2]", strings.Repeat("[", 5000)), golden.ErrDamaged, "[ in the place of a whole number"},
		"fraction":    {with("[2,2]", "[2.0,2]"), golden.ErrDamaged, "2.0 in the place of a whole number from 0 on"},
		"negative":    {with("[0,32]", "[-8,32]"), golden.ErrDamaged, "-8 in the place of a whole number from 0 on"},
		"beyond":      {with("[0,32]", "[0,99999999999999999999]"), golden.ErrDamaged, "99999999999999999999 in the place"},
		"offsets":     {with("[0,32]", "[0,32,32]"), golden.ErrDamaged, "3 data_offsets; want 2"},
		"key":         {with("dtype", "DTYPE"), golden.ErrDamaged, `"W0": unknown "DTYPE"`},
		"key twice":   {with(`"dtype":"F64"`, `"dtype":"F64","dtype":"F64"`), golden.ErrDamaged, `"W0": two of dtype`},
		"no key":      {with(`"dtype":"F64",`, ""), golden.ErrDamaged, `"W0": lacks dtype, shape or data_offsets`},
		"metadata":    {plus(`"__metadata__":{"a":1}`), golden.ErrDamaged, "1 in the place of a text"},
		"metadata 2":  {plus(`"__metadata__":{},"__metadata__":{}`), golden.ErrDamaged, "two of __metadata__"},
		"metadata 3":  {plus(`"__metadata__":{"a":"","a":""}`), golden.ErrDamaged, `two of "a" in __metadata__`},
		"checksum":    {plus(`"__metadata__":{"corinfo.crc32":"00000000"}`), golden.ErrDamaged, "the checksum in its metadata is not that of its arrays"},
		"overlap":     {with("[32,48]", "[24,40]"), golden.ErrDamaged, `"W1" begins at byte 24 of the numbers, within another array, which ends at 32`},
		"same":        {with("[32,48]", "[0,32]"), golden.ErrDamaged, "begins at byte 0 of the numbers, within another array"},
		"gap":         {with("[0,32]", "[8,32]"), golden.ErrDamaged, `"W0" begins at byte 8 of the numbers; those before it end at 0`},
		"reversed":    {with("[32,48]", "[48,32]"), golden.ErrDamaged, `"W1" ends at byte 32, before its begin at 48`},
		"outside":     {with("[64,72]", "[64,9223372036854775807]"), golden.ErrDamaged, `"b2" ends at byte 9223372036854775807`},
		"length":      {with("F64", "F32"), golden.ErrDamaged, "W0: damaged data: 32 bytes of numbers; a shape of (2, 2) in F32 has 16"},
		"integers":    {with("F64", "I64"), golden.ErrUsage, `W0: wrong input: dtype "I64"; want F64, F32, F16 or BF16: convert it with .double()`},
		"shape":       {with("[2,2]", "[4,1]"), golden.ErrUsage, "W0: wrong input: shape (4, 1); the network wants (2, 2)"},
		"transposed":  {with("[1,2]", "[2,1]"), golden.ErrUsage, "W1: wrong input: shape (2, 1); the network wants (1, 2): transpose it with .T"},
		"flat":        {with("[2,2]", "[4]"), golden.ErrUsage, "W0: wrong input: shape (4,); the network wants (2, 2)"},
		"bomb":        {with("[2,2]", "[9000000000,9000000000]"), golden.ErrUsage, "shape (9000000000, 9000000000); the network wants"},
		"twice":       {plus(empty("W0")), golden.ErrUsage, "two arrays W0; leave one out"},
		"unknown":     {plus(empty("W2")), golden.ErrUsage, `unknown array "W2"; did you mean "W0"? The network has W0, W1, b1, b2`},
		"control":     {plus(empty(`\u0007.weight`)), golden.ErrUsage, `unknown array "\a.weight"; did you mean`},
		"one layer":   {plus(empty("0.weight")), golden.ErrUsage, "1 linear layer: 0; the network has 2:"},
		"missing": {tensorsFile("{"+entries[0]+"}", numbers[:4]...), golden.ErrUsage,
			"missing W1, b1, b2; the file must hold every matrix of the network"},
		"NaN":      {number(1, math.NaN()), golden.ErrDamaged, "W0: damaged data: row 0 column 1 is NaN"},
		"infinity": {number(8, math.Inf(-1)), golden.ErrDamaged, "b2: damaged data: row 0 column 0 is -Inf"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := readTensors(n, c.file)
			require.Nil(t, w)
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.words)
		})
	}
}

// TestScaledSafetensors: B in the place of C, and symmetry, are those of archives.
func TestScaledSafetensors(t *testing.T) {
	small := goldentest.Network([]int{2, 2}, 1)
	goldentest.CorInfoMax(small).Lambda = 0.8 // gamma 1/4
	n := small.Describe()
	header := `{"W0":{"dtype":"F64","shape":[2,2],"data_offsets":[0,32]},"B1":{"dtype":"F64","shape":[2,2],"data_offsets":[32,64]}}`
	w, err := readTensors(n, tensorsFile(header, 1, 2, 3, 4, 8, 4, 4, 2))
	require.NoError(t, err)
	for i, v := range []float64{2, 1, 1, 0.5} {
		require.InEpsilon(t, v, w.Named("C1").RawMatrix().Data[i], 1e-15)
	}
	_, err = readTensors(n, tensorsFile(header, 1, 2, 3, 4, 8, 4, 3, 2))
	require.ErrorContains(t, err, "B1: wrong input: not symmetric")
	w, err = readTensors(n, tensorsFile(strings.Replace(header, "W0", "weight", 1), 1, 2, 3, 4, 8, 4, 4, 2))
	require.NoError(t, err, "a module on its own has no name for its layer")
	require.Equal(t, []float64{1, 2, 3, 4}, w.Named("W0").RawMatrix().Data)
}

// TestSafetensorsFiles: what is no regular file, or another kind under this name.
func TestSafetensorsFiles(t *testing.T) {
	n, whole := smallArchive()
	dir := t.TempDir()
	_, err := read(filepath.Join(dir, "none.safetensors"), n)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "none.safetensors: no such file")
	folder := filepath.Join(dir, "f.safetensors")
	require.NoError(t, os.Mkdir(folder, 0o755))
	_, err = read(folder, n)
	require.ErrorContains(t, err, "is a folder; want a regular file")
	require.ErrorIs(t, write(folder, n, Initial(n, 1), NumPyFloat64), golden.ErrUsage)

	path := filepath.Join(dir, "zip.safetensors")
	require.NoError(t, os.WriteFile(path, archive(t, 0, whole...), 0o644))
	_, err = read(path, n)
	require.ErrorContains(t, err, "zip.safetensors: wrong input: a zip archive; rename one of NumPy to FILE.npz")
	path = filepath.Join(dir, "w.npz")
	require.NoError(t, os.WriteFile(path, tensorsFile("{}"), 0o644))
	_, err = read(path, n)
	require.ErrorContains(t, err, "w.npz: wrong input: no .npz archive; rename it to FILE.safetensors if it is such a file")
}

// TestDamagedSafetensors cuts a file after every byte and flips every bit: it is refused or gives the same weights.
func TestDamagedSafetensors(t *testing.T) {
	for _, layers := range [][]string{nil, {"0", "2"}} {
		n := goldentest.Of("csm").Describe()
		want := Initial(n, 1)
		file, err := encodeSafetensors(n, want, NumPyFloat64, fileNames(n, layers))
		require.NoError(t, err)
		for i := range file {
			_, err := readTensors(n, file[:i])
			require.Error(t, err, "cut at byte %d", i)
		}
		refused := 0
		for i := range 8 * len(file) {
			text := bytes.Clone(file)
			text[i/8] ^= 1 << (i % 8)
			w, err := readTensors(n, text)
			if err != nil {
				require.True(t, errors.Is(err, golden.ErrDamaged) || errors.Is(err, golden.ErrUsage), "%v", err)
				refused++
				continue
			}
			require.Equal(t, bits(want), bits(w), "bit %d", i)
		}
		require.Greater(t, refused, 8*8*n.Synapses(), "every bit of the arrays at least")
	}
}

// FuzzReadSafetensors gives the reader whole files, and headers before the numbers of a network.
func FuzzReadSafetensors(f *testing.F) {
	n, entries, numbers := smallTensors()
	f.Add([]byte("{" + strings.Join(entries, ",") + "}"))
	f.Add([]byte(`{"__metadata__":{"format":"pt"},` + strings.Join(entries, ",") + "}  "))
	torch := strings.NewReplacer(`"W0"`, `"0.weight"`, `"W1"`, `"2.weight"`, `"b1"`, `"0.bias"`, `"b2"`, `"2.bias"`)
	f.Add([]byte("{" + torch.Replace(strings.Join(entries, ",")) + "}"))
	f.Add(tensorsFile("{"+strings.Join(entries, ",")+"}", numbers...))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, file := range [][]byte{text, tensorsFile(string(text), numbers...)} {
			w, err := readTensors(n, file)
			if err != nil {
				require.True(t, errors.Is(err, golden.ErrDamaged) || errors.Is(err, golden.ErrUsage), "%v", err)
				continue
			}
			require.NoError(t, w.Check(n))
			again, err := encodeSafetensors(n, w, NumPyFloat64, fileNames(n, []string{"0", "2"}))
			require.NoError(t, err)
			back, err := readTensors(n, again)
			require.NoError(t, err)
			require.Equal(t, bits(w), bits(back))
		}
	})
}
