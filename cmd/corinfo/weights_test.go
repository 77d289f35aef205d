package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/training"
)

// Weights that went out and came in again are the run's, to the bit, and start whatever a run can start.
func TestExportImport(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	done(t, "train", "-c", file, "-o", at("float"), "--epochs", "3")
	done(t, "train", "-c", file, "-o", at("float32"), "--epochs", "3", "--arithmetic", "float32")
	done(t, "quantize", at("float32"), "-o", at("fixed"), "--samples", "60")
	for run, network := range map[string]string{"float": file, "float32": file, "fixed": at("fixed/network.yaml")} {
		exported := figures(t, done(t, "export", at(run), "-o", at(run+".npz"), "--json"))
		require.Equal(t, "float64", exported["dtype"])
		require.Len(t, exported["arrays"], 5)
		require.Equal(t, map[string]any{"name": "W0", "rows": 13.0, "cols": 20.0, "in_file": "W0"}, exported["arrays"].([]any)[0])

		imported := figures(t, done(t, "import", at(run+".npz"), "-c", network, "-o", at(run+"2"), "--arithmetic", run, "--json"))
		require.Equal(t, run, imported["arithmetic"])
		require.Empty(t, imported["misfits"])
		before, err := training.LoadCheckpoint(at(run))
		require.NoError(t, err)
		after, err := training.LoadCheckpoint(at(run + "2"))
		require.NoError(t, err)
		require.Equal(t, before.Tensors, after.Tensors)
		require.Zero(t, after.Epoch)
		done(t, "export", at(run), "-o", at(run+".safetensors"))
		done(t, "import", at(run+".safetensors"), "-c", network, "-o", at(run+"3"), "--arithmetic", run)
		require.True(t, readFile(t, at(run+"2/checkpoint")) == readFile(t, at(run+"3/checkpoint")), "the kinds of files differ")
		done(t, "export", at(run+"2"), "-o", at(run+"2.npz"))
		require.True(t, readFile(t, at(run+".npz")) == readFile(t, at(run+"2.npz")), "the archives differ")

		a, b := figures(t, done(t, "eval", at(run), "--json")), figures(t, done(t, "eval", at(run+"2"), "--json"))
		for _, key := range []string{"accuracy", "confusion", "angles"} {
			require.Equal(t, a[key], b[key])
		}
		done(t, "generate", "--weights", at(run+"2"), "-o", at(run+"-design"))
		r := figures(t, done(t, "train", "-o", at(run+"2"), "--resume", "--epochs", "12", "--json"))
		require.EqualValues(t, 12, r["epochs"])
		require.Greater(t, r["test_accuracy"], 0.6)
	}
	short := []string{"export", at("float"), "-o", at("short.safetensors"), "--float32", "--names", "in,[1]", "--json"}
	exported := figures(t, done(t, short...))
	require.Equal(t, map[string]any{"name": "W0", "rows": 13.0, "cols": 20.0, "in_file": "in.weight"}, exported["arrays"].([]any)[0])
	imported := done(t, "import", at("short.safetensors"), "-c", file, "-o", at("named"), "--names", "in,[1]")
	require.Contains(t, imported, "W0  13 x 20  in.weight\nW1  7 x 13  [1].weight\nF1  13 x 7\n")
	refused(t, exitUsage, []string{"short.safetensors", "no number tells whether layer in or [1] comes first", "--names in,[1]"},
		"import", at("short.safetensors"), "-c", file, "-o", at("unnamed"))

	done(t, "export", at("float"), "-o", at("short.npz"), "--float32")
	require.Less(t, len(readFile(t, at("short.npz"))), len(readFile(t, at("float.npz")))*6/10)
	require.Contains(t, done(t, "import", at("short.npz"), "-c", file, "-o", at("short")), "short.npz; train it with")
	done(t, "quantize", at("short"), "-o", at("short-fixed"))
	require.Contains(t, done(t, "import", at("float.npz"), "-c", file, "-o", at("rounded"), "--arithmetic", "fixed"), "W0  13 x 20")
}

func TestExportImportErrors(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	done(t, "train", "-c", file, "-o", at("run"), "--epochs", "1")
	weights := at("w.npz")
	done(t, "export", at("run"), "-o", weights)

	refused(t, exitUsage, []string{"-o is missing"}, "export", at("run"))
	refused(t, exitUsage, []string{"no checkpoint"}, "export", dir, "-o", at("x.npz"))
	refused(t, exitUsage, []string{dir, "is a folder"}, "export", at("run"), "-o", dir)
	refused(t, exitFailed, []string{"no/x.npz", "no such file"}, "export", at("run"), "-o", at("no/x.npz"))

	refused(t, exitUsage, []string{"-c is missing"}, "import", weights, "-o", at("new"))
	refused(t, exitUsage, []string{"-o is missing"}, "import", weights, "-c", file)
	refused(t, exitUsage, []string{"holds a run already"}, "import", weights, "-c", file, "-o", at("run"))
	refused(t, exitUsage, []string{"none.npz", "no such file"}, "import", at("none.npz"), "-c", file, "-o", at("new"))
	refused(t, exitUsage, []string{"small.yaml", "no .npz archive"}, "import", file, "-c", file, "-o", at("new"))
	refused(t, exitUsage, []string{`arithmetic "int8"`}, "import", weights, "-c", file, "-o", at("new"), "--arithmetic", "int8")
	other := writeFile(t, at("other.yaml"), strings.Replace(readFile(t, file), "[20, 13, 7]", "[20, 12, 7]", 1))
	refused(t, exitUsage, []string{"w.npz", "W0", "(13, 20)", "(12, 20)"}, "import", weights, "-c", other, "-o", at("new"))
	whole := []byte(readFile(t, weights))
	writeFile(t, weights, string(whole[:len(whole)/2]))
	refused(t, exitFailed, []string{"w.npz", "truncated"}, "import", weights, "-c", file, "-o", at("new"))
	whole[len(whole)/3] ^= 1
	writeFile(t, weights, string(whole))
	refused(t, exitFailed, []string{"w.npz", "checksum"}, "import", weights, "-c", file, "-o", at("new"))

	tensors := at("w.safetensors")
	for _, names := range []string{"fc1", "a,a"} {
		refused(t, exitUsage, []string{"--names"}, "export", at("run"), "-o", tensors, "--names", names)
		refused(t, exitUsage, []string{"--names"}, "import", tensors, "-c", file, "-o", at("new"), "--names", names)
	}
	require.NoFileExists(t, tensors)
	refused(t, exitUsage, []string{"w.safetensors", "no such file"}, "import", tensors, "-c", file, "-o", at("new"))
	done(t, "export", at("run"), "-o", tensors)
	refused(t, exitUsage, []string{"w.safetensors", "W0", "(13, 20)", "(12, 20)"}, "import", tensors, "-c", other, "-o", at("new"))
	refused(t, exitUsage, []string{"w.safetensors", "a.weight", "W0"}, "import", tensors, "-c", file, "-o", at("new"), "--names", "a,b")
	whole = []byte(readFile(t, tensors))
	writeFile(t, tensors, string(whole[:len(whole)/2]))
	refused(t, exitFailed, []string{"w.safetensors", "truncated"}, "import", tensors, "-c", file, "-o", at("new"))
	whole[len(whole)/2] ^= 1
	writeFile(t, tensors, string(whole))
	refused(t, exitFailed, []string{"w.safetensors", "checksum"}, "import", tensors, "-c", file, "-o", at("new"))
	require.NoFileExists(t, at("new"))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}
