// Package network is the network file: the settings of a network, of its training and of its hardware.
package network

import (
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden/dataset"
	"corinfo/golden/rule"
)

// Network is the network file. Parse has checked the values of every Network that it returns.
type Network struct {
	Name     string             `yaml:"name" doc:"prefix of every Verilog module"`
	Dataset  dataset.Source     `yaml:"dataset"`
	Rule     string             `yaml:"rule"`
	Layers   []int              `yaml:"layers" doc:"neurons from the input to the output"`
	Own      any                `yaml:"-"` // the rule's own section, which has the rule's name; nil where it has none
	Settling rule.Settling      `yaml:"settling"`
	Learning rule.Learning      `yaml:"learning"`
	Seed     uint32             `yaml:"seed" doc:"of everything random: weights, order of samples, sign of beta, stochastic rounding"`
	Formats  map[string]fx.Type `yaml:"formats"`
	Hardware Hardware           `yaml:"hardware"`
}

// Hardware are the choices of the design.
type Hardware struct {
	Lanes        int    `yaml:"lanes" doc:"neurons computed at a time, each with its synapses in a memory of its own; left out: 16"`
	Contexts     int    `yaml:"contexts" doc:"samples in flight at once, 1 to 4; left out: 1"`
	Learning     bool   `yaml:"learning" doc:"false: the design classifies only, and its synapses change by the host alone; left out: true"`
	HostTables   bool   `yaml:"host_tables" doc:"the host reads and writes the program and all tables, not only constants; left out: false"`
	Schedule     bool   `yaml:"schedule" doc:"true: a design that learns writes the rates of every mini-batch and draws the sign of beta itself; left out: false, the host's"`
	EpochSamples int    `yaml:"epoch_samples" doc:"samples of an epoch, by which its schedule counts; left out: all training samples of mnist, fashion or cifar10"`
	Mode         string `yaml:"mode" doc:"events: broadcast changed states only; dense: all states, same bits; left out: events"`
}

// K is the number of layers above the input.
func (n *Network) K() int { return len(n.Layers) - 1 }

// Settings are what the rule makes its description of.
func (n *Network) Settings() *rule.Settings {
	low, high := n.Dataset.Normalize.Range()
	return &rule.Settings{Layers: n.Layers, Settling: n.Settling, Learning: n.Learning, Own: n.Own, Low: low, High: high}
}

// Lacks tells that a setting, by its path, means nothing to the network's rule or to its kind of optimizer.
func (n *Network) Lacks(path string) bool {
	if r := rule.Named(n.Rule); r != nil && r.Lacks(path) {
		return true
	}
	key, ok := strings.CutPrefix(path, "learning.optimizer.")
	return ok && !n.Learning.Optimizer.Uses(key)
}

// Describe is the rule applied to the network.
func (n *Network) Describe() *rule.Description {
	return rule.Named(n.Rule).Describe(n.Settings())
}
