package dataset

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"corinfo/golden"
	"github.com/stretchr/testify/require"
)

// cifarText is a file of random records with the given labels.
func cifarText(rng *rand.Rand, labels ...uint8) []byte {
	var text []byte
	for _, label := range labels {
		text = append(text, label)
		for range cifarPixels {
			text = append(text, uint8(rng.IntN(256)))
		}
	}
	return text
}

// smallCIFAR writes the six files with a few records each.
func smallCIFAR(t *testing.T) (dir string, files [6][]byte) {
	t.Helper()
	dir = t.TempDir()
	rng := rand.New(rand.NewPCG(8, 8))
	for i, labels := range [][]uint8{{0, 9}, {1}, {2, 3}, {4}, {5, 6, 7}, {8, 0, 1}} {
		files[i] = cifarText(rng, labels...)
		require.NoError(t, os.WriteFile(filepath.Join(dir, cifarFiles[i]), files[i], 0o644))
	}
	return dir, files
}

func TestLoadCIFAR(t *testing.T) {
	dir, files := smallCIFAR(t)
	data, err := Load(Source{Name: "cifar10", Path: dir})
	require.NoError(t, err)
	require.Equal(t, "cifar10", data.Name)
	require.Equal(t, []uint8{0, 9, 1, 2, 3, 4, 5, 6, 7}, data.Train.Labels)
	require.Equal(t, []uint8{8, 0, 1}, data.Test.Labels)
	require.Equal(t, 3072, data.Train.Size)
	require.Equal(t, 3072, data.Test.Size)
	require.Len(t, data.Train.Pixels, 9*3072)
	require.Equal(t, files[0][3074:6146], data.Train.Sample(1)) // the second record of the first file
	require.Equal(t, files[2][1:3073], data.Train.Sample(3))    // the first one of the third file
	require.Equal(t, files[5][6147:], data.Test.Sample(2))
	require.NoError(t, data.Check([]int{3072, 1000, 10}))

	again, err := Load(Source{Name: "cifar10", Path: dir + "/."})
	require.NoError(t, err)
	require.Equal(t, data, again)
	for _, at := range []int{0, 3072} { // a label, a pixel
		changed := bytes.Clone(files[3])
		changed[at] ^= 1
		require.NoError(t, os.WriteFile(filepath.Join(dir, cifarFiles[3]), changed, 0o644))
		other, err := Load(Source{Name: "cifar10", Path: dir})
		require.NoError(t, err)
		require.NotEqual(t, data.Checksum, other.Checksum)
	}
}

func TestMissingCIFAR(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, d := range []Source{{Name: "cifar10"}, {Name: "cifar10", Path: "elsewhere"}} {
		_, err := Load(d)
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, "no data_batch_1.bin in ")
		require.ErrorContains(t, err, "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz")
	}
	for i, name := range cifarFiles {
		dir, _ := smallCIFAR(t)
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
		_, err := Load(Source{Name: "cifar10", Path: dir})
		require.ErrorIs(t, err, golden.ErrUsage, i)
		require.ErrorContains(t, err, "no "+name+" in "+dir)
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		_, err = Load(Source{Name: "cifar10", Path: dir})
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, filepath.Join(dir, name))
	}
}

// TestDamagedCIFAR damages each of the files.
func TestDamagedCIFAR(t *testing.T) {
	cases := []struct {
		name   string
		damage func([]byte) []byte
		want   string
	}{
		{"empty", func([]byte) []byte { return nil }, "at byte 0: the file is empty"},
		{"label only", func(b []byte) []byte { return b[:1] }, "at byte 1: the file ends within record 0 of 3073 bytes"},
		{"pixels cut", func(b []byte) []byte { return b[:3072] }, "at byte 3072: the file ends within record 0 of 3073 bytes"},
		{"trailing byte", func(b []byte) []byte { return append(bytes.Clone(b[:3073]), 3) }, "at byte 3074: the file ends within record 1 of 3073 bytes"},
		{"label", func(b []byte) []byte { return append([]byte{10}, b[1:]...) }, "at byte 0: record 0 has label 10; want 0 to 9"},
		{"later label", func(b []byte) []byte { return append(bytes.Clone(b[:3073]), append([]byte{255}, b[1:3073]...)...) },
			"at byte 3073: record 1 has label 255; want 0 to 9"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir, files := smallCIFAR(t)
			for i, name := range cifarFiles {
				path := filepath.Join(dir, name)
				require.NoError(t, os.WriteFile(path, c.damage(files[i]), 0o644))
				_, err := Load(Source{Name: "cifar10", Path: dir})
				require.ErrorIs(t, err, golden.ErrDamaged)
				require.EqualError(t, err, "damaged data: "+path+": "+c.want+"; install or copy it again")
				require.NoError(t, os.WriteFile(path, files[i], 0o644))
			}
		})
	}
}

// TestCutCIFAR cuts a file at every byte: only whole records are read.
func TestCutCIFAR(t *testing.T) {
	text := cifarText(rand.New(rand.NewPCG(1, 2)), 3, 4)
	for length := range text {
		var set Set
		err := appendCIFAR(&set, text[:length])
		if length == cifarRecord {
			require.NoError(t, err)
			require.Equal(t, []uint8{3}, set.Labels)
		} else {
			require.ErrorContains(t, err, "at byte ", length)
		}
	}
}

// TestWholeCIFAR reads files of the published length, from the usual folder, and then one that lacks its last records.
func TestWholeCIFAR(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir(CIFARFolder, 0o755))
	for _, name := range cifarFiles {
		path := filepath.Join(CIFARFolder, name)
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		require.NoError(t, os.Truncate(path, 30730000)) // zeros
	}
	data, err := Load(Source{Name: "cifar10"})
	require.NoError(t, err)
	require.Equal(t, [2]int{50000, 10000}, [2]int{data.Train.Len(), data.Test.Len()})
	for _, name := range []string{"test_batch.bin", "data_batch_1.bin"} {
		path := filepath.Join(CIFARFolder, name)
		require.NoError(t, os.Truncate(path, 30730000-3073))
		_, err = Load(Source{Name: "cifar10"})
		require.ErrorIs(t, err, golden.ErrDamaged)
		require.ErrorContains(t, err, path+": 9999 records; the published files have 10000 each")
		require.NoError(t, os.Truncate(path, 30730000))
	}
}

// FuzzCIFAR: nothing panics, and what is read writes back the same.
func FuzzCIFAR(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	f.Add(cifarText(rng, 1))
	f.Add(cifarText(rng, 9, 0))
	f.Add(cifarText(rng, 10))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		var set Set
		if appendCIFAR(&set, text) != nil {
			return
		}
		var back []byte
		for i, label := range set.Labels {
			require.Less(t, label, uint8(10))
			back = append(append(back, label), set.Sample(i)...)
		}
		require.Equal(t, text, back)
	})
}
