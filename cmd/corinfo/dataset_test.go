package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestImageFolders trains on images in a folder per class, and goes all the way to an estimate.
func TestImageFolders(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	for part, count := range map[string]int{"train": 40, "test": 10} {
		for bright, class := range []string{"a", "b", "c", "d", "e"} { // one column each
			folder := filepath.Join(data, part, class)
			require.NoError(t, os.MkdirAll(folder, 0o755))
			for i := range count {
				m := image.NewGray(image.Rect(0, 0, 5, 4))
				for p := range m.Pix {
					m.Pix[p] = uint8((i*7 + p*5) % 20)
					if p%5 == bright {
						m.Pix[p] += 200
					}
				}
				var text bytes.Buffer
				require.NoError(t, png.Encode(&text, m))
				writeFile(t, filepath.Join(folder, fmt.Sprintf("%d.png", i)), text.String())
			}
		}
	}
	text, err := os.ReadFile(smallNetwork(t, 4, ""))
	require.NoError(t, err)
	network := func(name, folder string) string {
		lines := strings.Split(strings.Replace(string(text), "[20, 13, 7]", "[20, 13, 5]", 1), "\n")
		lines[1] = "dataset: {name: images, path: " + folder + "}"
		return writeFile(t, filepath.Join(dir, name), strings.Join(lines, "\n"))
	}
	file := network("columns.yaml", data)
	run, fixed := filepath.Join(dir, "run"), filepath.Join(dir, "fixed")
	trained := figures(t, done(t, "train", "-c", file, "-o", run, "--json"))
	require.Greater(t, trained["test_accuracy"], 0.4, "one in five by chance")
	done(t, "quantize", run, "-o", fixed)
	done(t, "estimate", "--weights", fixed)

	moved := filepath.Join(dir, "moved")
	require.NoError(t, os.Rename(data, moved))
	refused(t, exitUsage, []string{data, "train/CLASS/NAME.png"}, "train", "-o", run, "--resume", "--epochs", "13")
	other := network("moved.yaml", moved)
	done(t, "train", "-c", other, "-o", run, "--resume", "--epochs", "13")
	broken := writeFile(t, filepath.Join(moved, "test", "a", "3.png"), "no image")
	refused(t, exitFailed, []string{broken, "neither PNG nor JPEG"}, "train", "-c", other, "-o", run, "--resume", "--epochs", "14")
}

// CIFAR-10 that is not there is wrong usage, with a remedy; a file that is not whole is damaged.
func TestCIFARFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	done(t, "init", "--preset", "cifar10", "net.yaml")
	words := []string{"data_batch_1.bin", "cifar-10-batches-bin", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"}
	refused(t, exitUsage, words, "train", "-c", "net.yaml", "-o", "run", "--limit", "20", "--epochs", "1")
	require.NoError(t, os.Mkdir("cifar-10-batches-bin", 0o755))
	broken := writeFile(t, filepath.Join("cifar-10-batches-bin", "data_batch_1.bin"), "\x01\x02\x03")
	refused(t, exitFailed, []string{broken, "at byte 3", "record 0"}, "train", "-c", "net.yaml", "-o", "run", "--limit", "20", "--epochs", "1")
	require.NoFileExists(t, "run")
}
