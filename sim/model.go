package sim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"corinfo/golden"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/testbench"
)

// Simulator names what runs a design.
type Simulator string

const (
	Verilator Simulator = "verilator"
	Icarus    Simulator = "icarus"
)

// macros are what the harnesses need to know of a design: its name and its sizes.
func macros(m *hdlgen.Manifest) []string {
	define := func(name string, value int) string { return fmt.Sprintf("-D%s=%d", name, value) }
	w := m.Widths
	return []string{"-DDUT=" + m.Name, define("INPUTS", m.Layers[0]), define("X_WIDTH", w.X), define("UNITS", m.Units),
		define("CONTEXT_WIDTH", w.Context), define("WORDS_WIDTH", w.Words),
		define("SHARED_WIDTH", w.Shared), define("SYNAPSE_WIDTH", w.Synapse), define("BESIDE_WIDTH",
			w.Beside), define("LABEL_WIDTH", w.Label), define("SCORE_WIDTH", w.Score),
		define("ABORT_ADDRESS", int(design.RegionStatus.Address(design.StatusAbort)))}
}

// keepModels bounds the cache of compiled models.
const keepModels = 64

// staleBuild is the age at which the folder of a build belongs to nobody any more.
const staleBuild = 24 * time.Hour

// cacheFolder is where compiled models are kept; CORINFO_CACHE overrides the user's cache folder.
func cacheFolder() (string, error) {
	if dir := os.Getenv("CORINFO_CACHE"); dir != "" {
		return filepath.Abs(dir) // tools run in other folders
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for compiled models: %w; set CORINFO_CACHE", err)
	}
	return filepath.Join(dir, "corinfo"), nil
}

// slowModel is the work, in lanes x cycles, up to which a model compiled without optimisation, which takes a
// fifth of the time, is ready sooner than a fast one: it runs about 1.5 million a second, the fast one 6.
const slowModel = 10_000_000

// fastModel is that up to which a model is ready sooner without a rehearsal, which doubles the time to compile and saves
// a fifth of the run. Dense work counts, of which an event-driven run does a sixth.
const fastModel = 10_000_000_000

// Effort is how much Verilator's model is optimised.
type Effort int

const (
	Quick     Effort = iota // not at all
	Fast                    // worth it for long runs
	Rehearsed               // by what a rehearsal shows; worth it for very long ones
)

// EffortFor is the one with which so much work, in lanes x cycles, is done soonest.
func EffortFor(work int) Effort {
	switch {
	case work > fastModel:
		return Rehearsed
	case work > slowModel:
		return Fast
	}
	return Quick
}

// Recipe is how to compile a design; Icarus knows one way.
type Recipe struct {
	Simulator Simulator
	Effort    Effort
	Wave      Waveform // that it is able to write; Icarus's models always are
	// Properties of the library's modules stop a run that violates one, with its message; they take time.
	Properties bool
}

// Rehearsal runs a program that a model was compiled to.
type Rehearsal func(ctx context.Context, program string) error

// Compile builds the model of a design, or finds it in the cache, and gives the command that runs it in the design's folder, or in one
// with other memory images. The cache's key is the content of the Verilog, the harness, the tools' versions and the recipe. Memory images
// are read when it runs. Only a rehearsed model needs a rehearsal.
func Compile(ctx context.Context, dir string, m *hdlgen.Manifest, how Recipe, rehearse Rehearsal) (command []string, err error) {
	needed, harness := []string{"verilator", "g++", "make"}, []string{"verilator/corinfo_held.v", "verilator/corinfo_testbench.cpp"}
	if how.Simulator == Icarus {
		needed, harness = []string{"iverilog", "vvp"}, []string{"icarus/corinfo_testbench.v"}
		how.Effort, how.Wave = Quick, ""
	}
	for _, tool := range needed {
		if _, err := Find(tool); err != nil {
			return nil, err
		}
	}
	tools := sha256.New()
	for _, tool := range needed {
		fmt.Fprintln(tools, tool, version(ctx, tool))
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%x %+v %v\n", tools.Sum(nil), how, macros(m))
	files := map[string][]byte{}
	for _, f := range harness {
		text, err := testbench.Files.ReadFile(f)
		if err != nil {
			return nil, err
		}
		hash.Write(text)
		files[filepath.Base(f)] = text
	}
	for _, f := range m.Files {
		text, err := golden.ReadFile(filepath.Join(dir, f), hdlgen.MaxFile)
		if err != nil {
			return nil, fmt.Errorf("%w: Verilog of the design: %w; generate the design again", golden.ErrDamaged, err)
		}
		fmt.Fprintln(hash, f, len(text))
		hash.Write(text)
		files[f] = text
	}
	var properties []string
	if how.Properties {
		properties = hdlgen.WithProperties(files)
		for _, f := range properties {
			hash.Write(files[f])
		}
	}
	cache, err := cacheFolder()
	if err != nil {
		return nil, err
	}
	models := filepath.Join(cache, "models")
	folder := filepath.Join(models, fmt.Sprintf("%x", hash.Sum(nil)))
	command = []string{filepath.Join(folder, "Vcorinfo")}
	if how.Simulator == Icarus {
		command = []string{"vvp", "-n", filepath.Join(folder, "model.vvp")}
	}
	if _, err := os.Stat(folder); err == nil {
		now := time.Now()
		_ = os.Chtimes(folder, now, now) // prune removes those that were not used for longest
		return command, nil
	}
	if err := os.MkdirAll(models, 0o755); err != nil {
		return nil, fmt.Errorf("folder for compiled models: %w; set CORINFO_CACHE to one that can be written", err)
	}
	work, err := os.MkdirTemp(models, ".build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	// Everything is compiled in this folder, by paths within it: what the folders above it are called, a tool never sees.
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(work, filepath.Dir(name)), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(work, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	b := &build{how: how, rehearse: rehearse, m: m, work: work, properties: properties, runtime: filepath.Join(cache,
		"runtime", fmt.Sprintf("%x", tools.Sum(nil)))}
	if err := os.Mkdir(filepath.Join(work, productFolder), 0o755); err != nil {
		return nil, err
	}
	if how.Simulator == Icarus {
		err = b.icarus(ctx)
	} else {
		err = b.verilator(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := os.Rename(filepath.Join(work, productFolder), folder); err != nil && !errors.Is(err, os.ErrExist) {
		if _, stat := os.Stat(folder); stat != nil {
			return nil, err
		}
	}
	prune(models)
	return command, nil
}

// prune removes the models beyond keepModels that were not used for longest, and what killed builds left.
func prune(dir string) {
	all, err := os.ReadDir(dir)
	var entries []os.DirEntry
	age := func(e os.DirEntry) time.Duration {
		info, err := e.Info()
		if err != nil {
			return 0
		}
		return time.Since(info.ModTime())
	}
	for _, e := range all {
		switch {
		case !strings.HasPrefix(e.Name(), "."):
			entries = append(entries, e)
		case age(e) > staleBuild:
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	if err != nil || len(entries) <= keepModels {
		return
	}
	sort.Slice(entries, func(i, j int) bool { return age(entries[i]) > age(entries[j]) })
	for _, e := range entries[:len(entries)-keepModels] {
		os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}
