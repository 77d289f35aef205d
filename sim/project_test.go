package sim

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"corinfo/golden/machine"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// project is a folder of two designs that differ in all, a testbench that plays a sample into each of them, and what it
// must print.
type project struct {
	dir     string
	designs []*design.Design
	want    []string // sorted
}

// player is the testbench's part for a design: name, folder of its images ("" the default), widths and inputs.
const player = `
module play_%[1]s (input wire clk, input wire rst, output reg done);
  reg  [%[3]d:0] x [0:%[6]d];
  reg  [31:0] at;
  reg         command;
  wire        command_ready, sample_valid, sample_ready, score_valid, result_valid;
  wire [%[4]d:0] score_index, result_class;
  wire [%[5]d:0] score;
  initial $readmemh("%[1]s_x.hex", x);
  assign sample_valid = !rst && !command && at <= %[6]d;
  always @(posedge clk) begin
    if (rst) begin
      at      <= 0;
      command <= 1'b1;
      done    <= 1'b0;
    end else begin
      if (command_ready) command <= 1'b0;
      if (sample_valid && sample_ready) at <= at + 1;
      if (score_valid) $display("%[1]s: score %%0d is %%0d", score_index, $signed(score));
      if (result_valid) $display("%[1]s: class %%0d", result_class);
      if (result_valid) done <= 1'b1;
    end
  end
  %[1]s %[2]s u_design (
    .clk_i(clk), .rst_i(rst), .command_valid_i(command), .command_ready_o(command_ready), .command_learn_i(1'b0),
    .command_negative_i(1'b0), .command_label_i(0), .sample_valid_i(sample_valid), .sample_ready_o(sample_ready),
    .sample_data_i(x[at]), .score_valid_o(score_valid), .score_index_o(score_index), .score_data_o(score),
    .result_valid_o(result_valid), .result_ready_i(1'b1), .result_class_o(result_class), .host_valid_i(1'b0),
    .host_write_i(1'b0), .host_address_i(0), .host_data_i(0)
  );
endmodule
`

// pair is the testbench's top. It has no timescale of its own: files before it have one.
const pair = `module pair;
  reg  clk = 1'b0, rst = 1'b1;
  wire a, b;
  always #5 clk = !clk;
  initial begin
    $printtimescale(u_alpha.u_design.u_control);
    repeat (4) @(posedge clk);
    rst <= 1'b0;
  end
  always @(posedge clk) if (a && b && !rst) $finish;
  play_alpha u_alpha (.clk(clk), .rst(rst), .done(a));
  play_omega u_omega (.clk(clk), .rst(rst), .done(b));
endmodule
`

// newProject makes the project. images is where the testbench says that a design's images are, nil for the default.
func newProject(t *testing.T, images func(d *design.Design) string) *project {
	t.Helper()
	p := &project{dir: t.TempDir()}
	cases := map[string]testCase{
		"alpha": {layers: []int{7, 5, 4}, lanes: 2, batch: 1, rule: "constant", formats: "default"},
		"omega": {layers: []int{9, 6, 3}, lanes: 3, contexts: 2, batch: 2, rule: "constant", formats: "uneven", sparse: true},
	}
	text := pair
	rng := testSeed(t)
	core := "CAPI=2:\nname: \"::pair:0\"\nfilesets:\n  rtl:\n    depend: [\"corinfo:designs:alpha\", \"corinfo:designs:omega\"]\n" +
		"    files: [pair.v: {file_type: verilogSource}"
	for _, name := range []string{"alpha", "omega"} {
		d := cases[name].named(t, p.dir, name)
		p.designs = append(p.designs, d)
		x := randomSamples(d.Plan, 1, rng)[0].X
		trace := &machine.Trace{}
		d.Learner.Run(x, machine.Command{}, trace)
		for i, score := range trace.Scores {
			p.want = append(p.want, fmt.Sprintf("%s: score %d is %d", name, i, score))
		}
		p.want = append(p.want, fmt.Sprintf("%s: class %d", name, trace.Class))
		var words strings.Builder
		for _, word := range x {
			fmt.Fprintf(&words, "%x\n", word&(1<<d.Manifest.Widths.X-1))
		}
		p.write(t, name+"_x.hex", words.String())
		folder := ""
		if images != nil {
			folder = fmt.Sprintf("#(.ImageFolder(%q))", images(d))
		}
		w := d.Manifest.Widths
		text += fmt.Sprintf(player, name, folder, w.X-1, w.Label-1, w.Score-1, len(x)-1)
		core += fmt.Sprintf(", %s_x.hex: {file_type: user, copyto: %s_x.hex}", name, name)
	}
	p.write(t, "pair.v", text)
	p.write(t, "pair.core", core+"]\ntargets:\n  default: &default\n    filesets: [rtl]\n    toplevel: pair\n  sim:\n    <<: *default\n    default_tool: icarus\n")
	return p
}

func (p *project) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644))
}

// holds checks that a simulation printed what both designs must answer.
func (p *project) holds(t *testing.T, said string) {
	t.Helper()
	var got []string
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "alpha: ") || strings.HasPrefix(line, "omega: ") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	require.ElementsMatch(t, p.want, got, said)
	require.Contains(t, said, "is 1ns / 1ps") // of a design under Icarus, as cocotb wants it
}

// within runs a program in a folder for some minutes at most.
func within(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "%s does not end: %s", name, out)
	require.NoError(t, err, "%s: %s", name, out)
	return string(out)
}

// coreFile is what a test reads of a FuseSoC core.
type coreFile struct {
	Name     string
	Filesets map[string]struct {
		Depend []string
		Files  []any // a path, or a path with its attributes
	}
}

// readCore reads a core's name, what it depends on, and its files by fileset.
func readCore(t *testing.T, path string) (name string, depend []string, files map[string][]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	first, rest, _ := strings.Cut(string(text), "\n")
	require.Equal(t, "CAPI=2:", first)
	var c coreFile
	require.NoError(t, yaml.Unmarshal([]byte(rest), &c))
	files = map[string][]string{}
	for set, s := range c.Filesets {
		depend = append(depend, s.Depend...)
		for _, f := range s.Files {
			file, plain := f.(string)
			if attributes, ok := f.(map[string]any); ok {
				for f, a := range attributes {
					require.Equal(t, f, a.(map[string]any)["copyto"], "an image lies where tools look for it")
					file = f
				}
			} else {
				require.True(t, plain, "%v", f)
			}
			require.FileExists(t, filepath.Join(filepath.Dir(path), file))
			files[set] = append(files[set], file)
		}
	}
	return c.Name, depend, files
}

// Two designs in one project, built from what their cores list and with one library, which is that of both: names of cores
// and images are unique, and a simulation in another folder, told where the images are, answers as both models do.
func TestTwoDesignsInOneProject(t *testing.T) {
	needTool(t, "iverilog")
	p := newProject(t, func(d *design.Design) string { return filepath.Join(d.Dir, "images") })
	names := map[string]bool{}
	var libraries, sources, images []string
	for i, d := range p.designs {
		library, _, modules := readCore(t, filepath.Join(d.Dir, "library", "corinfo.core"))
		name, depend, files := readCore(t, filepath.Join(d.Dir, d.Manifest.Name+".core"))
		require.Equal(t, []string{library}, depend)
		require.False(t, names[name], name)
		names[name] = true
		libraries = append(libraries, library)
		if i == 0 {
			for _, f := range modules["rtl"] {
				sources = append(sources, filepath.Join(d.Dir, "library", f))
			}
		}
		for _, f := range files["rtl"] {
			sources = append(sources, filepath.Join(d.Dir, f))
		}
		images = append(images, files["images"]...)
	}
	require.Equal(t, libraries[0], libraries[1], "omega has sparse layers, alpha has not: the library is whole in both")
	for i, image := range images {
		require.NotContains(t, images[:i], image)
	}
	args := append([]string{"-g2005", "-s", "pair", "-o", "pair.vvp"}, sources...)
	within(t, p.dir, "iverilog", append(args, "pair.v")...)
	p.holds(t, within(t, p.dir, "vvp", "-n", "pair.vvp"))

	// Another design of the same name is another core.
	other := testCase{layers: []int{7, 5, 4}, lanes: 1, batch: 1, rule: "constant", formats: "default"}.named(t, t.TempDir(), "alpha")
	name, _, _ := readCore(t, filepath.Join(other.Dir, "alpha.core"))
	require.False(t, names[name], name)
}

// FuseSoC builds and simulates two designs as one core, and lints each of them. Designs that want different libraries it refuses.
func TestFuseSoC(t *testing.T) {
	for _, tool := range []string{"fusesoc", "iverilog", "verilator", "make"} {
		needTool(t, tool)
	}
	p := newProject(t, nil)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // FuseSoC's own settings are none of ours
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	p.holds(t, within(t, p.dir, "fusesoc", "--cores-root", ".", "run", "--target", "sim", "::pair"))
	for _, d := range p.designs {
		said := within(t, p.dir, "fusesoc", "--cores-root", ".", "run", "--target", "lint", "corinfo:designs:"+d.Manifest.Name)
		require.NotContains(t, said, "%Warning")
	}
	omega := p.designs[1].Dir
	for _, file := range []string{"omega.core", "library/corinfo.core"} {
		text, err := os.ReadFile(filepath.Join(omega, file))
		require.NoError(t, err)
		other := regexp.MustCompile(`(corinfo:library:rtl:.*-r)[0-9]+`).ReplaceAll(text, []byte("${1}1"))
		require.NotEqual(t, string(text), string(other))
		require.NoError(t, os.WriteFile(filepath.Join(omega, file), other, 0o644))
	}
	cmd := exec.Command("fusesoc", "--cores-root", ".", "run", "--target", "sim", "::pair")
	cmd.Dir = p.dir
	said, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "Conflicting requirements")
}

// A simulation without its memory images says which one it misses and ends, in both simulators; with ImageFolder it finds them
// from any folder.
func TestMissingImage(t *testing.T) {
	needTool(t, "iverilog")
	needTool(t, "verilator")
	d := small.generate(t)
	list := d.Manifest.Name + ".f"
	elsewhere := t.TempDir()
	images := filepath.Join(elsewhere, "pictures")
	require.NoError(t, os.Symlink(filepath.Join(d.Dir, "images"), images))

	vvp := filepath.Join(elsewhere, "model.vvp")
	within(t, d.Dir, "iverilog", "-g2005", "-P", `tester.ImageFolder="pictures"`, "-o", vvp, "-f", list)
	require.NotContains(t, within(t, elsewhere, "vvp", "-n", vvp), "ERROR")
	said := within(t, d.Dir, "vvp", "-n", vvp)
	require.Contains(t, said, "ERROR: memory image pictures/tester_")
	require.Contains(t, said, "ImageFolder")
}

// What vectors leave in a design's folder goes with the design when it is generated again.
func TestToolsLeaveNothingForeign(t *testing.T) {
	needTool(t, "iverilog")
	d, _ := testCase{layers: []int{6, 5, 4}, lanes: 2, batch: 3, rule: "constant", formats: "default"}.withVectors(t, 1, 3)
	players := []string{"icarus"}
	if _, err := exec.LookPath("cocotb-config"); err == nil {
		players = append(players, "cocotb")
	}
	for _, with := range players {
		out, err := playVectors(d.Dir, with)
		require.NoError(t, err, out)
	}
	m, err := design.Generate(d.Plan, d.Learner, nil, nil, d.Dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(d.Dir, func(path string, e os.DirEntry, err error) error {
		name, _ := filepath.Rel(d.Dir, path)
		if err == nil && !e.IsDir() && name != "corinfo.json" && name != training.CheckpointFile {
			require.Contains(t, m.Checksums, filepath.ToSlash(name))
		}
		return err
	}))
}
