package sim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"corinfo/hdlgen"
	"corinfo/testbench"
)

// Simulator names what runs a design.
type Simulator string

const (
	Verilator Simulator = "verilator"
	Icarus    Simulator = "icarus"
)

// model is a design compiled for a simulator; command runs it in the design's folder.
type model struct {
	command []string
}

// macros are the sizes that the harnesses need.
func macros(m *hdlgen.Manifest) []string {
	define := func(name string, value int) string { return fmt.Sprintf("-D%s=%d", name, value) }
	return []string{define("LANES", m.Lanes), define("INPUTS", m.Layers[0]), define("X_WIDTH", m.Widths.X), define("U_WIDTH", m.Widths.U),
		define("R_WIDTH", m.Widths.R), define("LABEL_WIDTH", m.Widths.Label), define("SYNAPSE_WIDTH", m.Widths.Synapse)}
}

// keepModels bounds the cache of compiled models.
const keepModels = 64

// cacheFolder is where compiled models are kept; CORINFO_CACHE overrides the user's cache folder.
func cacheFolder() (string, error) {
	if dir := os.Getenv("CORINFO_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for compiled models: %w; set CORINFO_CACHE", err)
	}
	return filepath.Join(dir, "corinfo"), nil
}

// compile builds the model of a design, or finds it in the cache: its key is the content of the Verilog, the
// harness, the tool's version and the flags. Memory images are read when it runs.
func compile(ctx context.Context, dir string, m *hdlgen.Manifest, simulator Simulator, wave bool) (*model, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	tool := "verilator"
	harness := "verilator/corinfo_testbench.cpp"
	if simulator == Icarus {
		tool, harness = "iverilog", "icarus/corinfo_testbench.v"
	}
	if _, err := Find(tool); err != nil {
		return nil, err
	}
	bench, err := testbench.Files.ReadFile(harness)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, simulator, wave, m.Name, macros(m))
	for _, t := range Tools(ctx) {
		fmt.Fprintln(hash, t.Name, t.Version)
	}
	hash.Write(bench)
	var files []string
	for _, f := range m.Files {
		text, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(hash, f, len(text))
		hash.Write(text)
		files = append(files, filepath.Join(dir, f))
	}
	cache, err := cacheFolder()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(cache, "models", fmt.Sprintf("%x", hash.Sum(nil)))
	done := func() *model {
		if simulator == Icarus {
			return &model{[]string{"vvp", "-n", filepath.Join(folder, "model.vvp")}}
		}
		return &model{[]string{filepath.Join(folder, "Vcorinfo")}}
	}
	if _, err := os.Stat(folder); err == nil {
		return done(), nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), ".build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	benchFile := filepath.Join(work, filepath.Base(harness))
	if err := os.WriteFile(benchFile, bench, 0o644); err != nil {
		return nil, err
	}
	product := filepath.Join(work, "out")
	if err := os.Mkdir(product, 0o755); err != nil {
		return nil, err
	}
	if simulator == Icarus {
		args := append([]string{"-g2005", "-o", filepath.Join(product, "model.vvp"), "-s", "corinfo_testbench", "-DDUT=" + m.Name}, macros(m)...)
		_, err = output(ctx, dir, "iverilog", append(append(args, files...), benchFile)...)
	} else {
		flags := "-O2"
		for _, macro := range macros(m) {
			flags += " " + macro
		}
		args := []string{"--cc", "--exe", "--build", "-j", "2", "-O3", "--x-assign", "unique", "--x-initial", "unique", "--noassert",
			"--prefix", "Vcorinfo", "--top-module", m.Name, "--Mdir", filepath.Join(work, "obj"), "-MAKEFLAGS", "OPT_FAST=-O2"}
		if wave {
			args = append(args, "--trace-fst")
			flags += " -DCORINFO_WAVE"
		}
		args = append(args, "-CFLAGS", flags)
		_, err = output(ctx, work, "verilator", append(append(args, files...), benchFile)...)
		if err == nil {
			err = os.Rename(filepath.Join(work, "obj", "Vcorinfo"), filepath.Join(product, "Vcorinfo"))
		}
	}
	if err != nil {
		return nil, err
	}
	if err := os.Rename(product, folder); err != nil && !errors.Is(err, os.ErrExist) {
		if _, stat := os.Stat(folder); stat != nil {
			return nil, err
		}
	}
	prune(filepath.Dir(folder))
	return done(), nil
}

// prune removes the oldest models beyond keepModels.
func prune(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= keepModels {
		return
	}
	age := func(e os.DirEntry) int64 {
		info, err := e.Info()
		if err != nil {
			return 0
		}
		return info.ModTime().UnixNano()
	}
	sort.Slice(entries, func(i, j int) bool { return age(entries[i]) < age(entries[j]) })
	for _, e := range entries[:len(entries)-keepModels] {
		os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}
