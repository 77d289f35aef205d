package golden

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	fx "corinfo/fixedpoint"
)

// presetText is the network file of every preset: comments and what all presets have in common. A tab stands for the
// gap between a setting and its comment, which begin in the same column whatever the setting.
//
//go:embed presets/network.yaml.tmpl
var presetText string

const commentColumn = 30

var presetTemplate = template.Must(template.New("preset").Option("missingkey=error").Parse(presetText))

// preset is what presets differ in, as text of the network file.
type preset struct {
	Name                  string // for init; the network's name has underscores for its dashes
	About                 string // comment lines at the top
	Dataset, Layers, Leak string
	Nu                    string // of layers 1 and 2 on the sparse polytope; empty: antisparse
	Free                  int    // settling iterations
	Rule                  string // of the step size
	Start                 float64
	Feedforward, Feedback string
	Factor, Then          string // of the rates' decay; without Then, Factor holds for all epochs
	Epochs, Lanes         int
	Contexts              int
	types                 map[string]fx.Type // default formats; see Preset
}

const (
	slow     = "divide_by_slow_loop_index"
	constant = "constant"
)

// presets are the settings of the paper's runs (docs/NETWORKS.md), and of a smaller network for a first try.
var presets = []preset{
	{Name: "tiny", About: "# A small network for a first try: a minute of training, a design for a small FPGA.\n" +
		"# CorInfoMax on MNIST, with the settings of the 784-500-10 network of arXiv 2306.04810.",
		Dataset: "mnist", Layers: "[784, 64, 10]", Leak: "0.5", Free: 30, Rule: slow, Start: 0.05,
		Feedforward: "[1.0, 0.7]", Feedback: "[0.15]", Factor: "0.95", Then: "0.9", Epochs: 1, Lanes: 16, Contexts: 2},
	{Name: "mnist", About: paperRun("MNIST", "784-500-10, antisparse", "97.62"),
		Dataset: "mnist", Layers: "[784, 500, 10]", Leak: "0.5", Free: 30, Rule: slow, Start: 0.05,
		Feedforward: "[1.0, 0.7]", Feedback: "[0.15]", Factor: "0.95", Then: "0.9", Epochs: 50, Lanes: 50, Contexts: 2},
	{Name: "mnist-sparse", About: paperRun("MNIST", "784-500-10, sparse", "97.71"),
		Dataset: "mnist", Layers: "[784, 500, 10]", Leak: "0.5", Nu: "[1e-6, 0.01]", Free: 30, Rule: slow, Start: 0.05,
		Feedforward: "[1.0, 0.75]", Feedback: "[0.12]", Factor: "0.9", Epochs: 50, Lanes: 50, Contexts: 2},
	{Name: "fashion", About: paperRun("Fashion-MNIST", "784-500-10, antisparse", "88.14"),
		Dataset: "fashion", Layers: "[784, 500, 10]", Leak: "0.3", Free: 30, Rule: slow, Start: 0.07,
		Feedforward: "[0.3, 0.22]", Feedback: "[0.07]", Factor: "0.95", Then: "0.9", Epochs: 50, Lanes: 50, Contexts: 2},
	{Name: "fashion-sparse", About: paperRun("Fashion-MNIST", "784-500-10, sparse", "88.09"),
		Dataset: "fashion", Layers: "[784, 500, 10]", Leak: "0.2", Nu: "[1e-6, 0.01]", Free: 20, Rule: slow, Start: 0.05,
		Feedforward: "[0.35, 0.23]", Feedback: "[0.05]", Factor: "0.95", Then: "0.9", Epochs: 50, Lanes: 50, Contexts: 2},
	{Name: "cifar10", About: paperRun("CIFAR-10", "3072-1000-10, antisparse", "51.86"),
		Dataset: "cifar10", Layers: "[3072, 1000, 10]", Leak: "0.1", Free: 30, Rule: constant, Start: 0.05,
		Feedforward: "[0.08, 0.04]", Feedback: "[0.04]", Factor: "0.95", Then: "0.9", Epochs: 50, Lanes: 50, Contexts: 2},
	{Name: "cifar10-sparse", About: paperRun("CIFAR-10", "3072-1000-10, sparse", "51.19"),
		Dataset: "cifar10", Layers: "[3072, 1000, 10]", Leak: "0.1", Nu: "[1e-5, 0.01]", Free: 30, Rule: slow, Start: 0.025,
		Feedforward: "[0.09, 0.07]", Feedback: "[0.045]", Factor: "0.95", Then: "0.9", Epochs: 50, Lanes: 50, Contexts: 2},
}

func paperRun(data, network, accuracy string) string {
	return fmt.Sprintf("# CorInfoMax on %s: %s, as in arXiv 2306.04810 (%s %% of the test images after 50 epochs).", data, network, accuracy)
}

// Identifier is the network's name, which is the prefix of Verilog modules.
func (p preset) Identifier() string { return strings.ReplaceAll(p.Name, "-", "_") }

// Format is the format that a tensor has by default, as a key of the network file with room for a comment's column.
func (p preset) Format(key, tensor string) string {
	return fmt.Sprintf("%-39s", fmt.Sprintf("%s: %v", key, p.types[tensor]))
}

// Presets are the names that Preset knows.
func Presets() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.Name)
	}
	return names
}

// Preset is the text of a commented network file to start from. An unknown name is ErrUsage.
func Preset(name string) ([]byte, error) {
	at := slices.IndexFunc(presets, func(p preset) bool { return p.Name == name })
	if at < 0 {
		return nil, usagef("no preset %q; there are %s", name, strings.Join(Presets(), ", "))
	}
	p := presets[at]
	// Formats are comments, so that the network is known without them, and what it makes them.
	n, err := ParseNetwork(name, p.text())
	if err != nil {
		panic("golden: " + err.Error()) // the template and its data are constants
	}
	p.types = ResolveFormats(n).Types()
	return p.text(), nil
}

// text is the preset's network file.
func (p preset) text() []byte {
	var text strings.Builder
	if err := presetTemplate.Execute(&text, p); err != nil {
		panic("golden: " + err.Error())
	}
	lines := strings.Split(text.String(), "\n")
	for i, line := range lines {
		if setting, comment, ok := strings.Cut(line, "\t"); ok {
			lines[i] = fmt.Sprintf("%-*s %s", commentColumn-1, setting, comment)
		}
	}
	return []byte(strings.Join(lines, "\n"))
}
