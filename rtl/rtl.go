// Package rtl holds the hand-written Verilog that every design uses: lanes and their memories, the queues of
// events, the control and its steps and updates. Each file is one module of its name and says at its top
// what it does. What depends on a network's arithmetic is printed by hdlgen. The modules' properties are in
// formal/, for tests; no design has them.
package rtl

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Files are the library's modules.
//
//go:embed *.v
var Files embed.FS

// Order lists the files so that every module comes after those it instantiates.
var Order = []string{
	"corinfo_ram.v",
	"corinfo_delay.v",
	"corinfo_ring.v",
	"corinfo_divide.v",
	"corinfo_root.v",
	"corinfo_valid.v",
	"corinfo_choice.v",
	"corinfo_fifo.v",
	"corinfo_random.v",
	"corinfo_random_keys.v",
	"corinfo_commands.v",
	"corinfo_table.v",
	"corinfo_wire.v",
	"corinfo_reset.v",
	"corinfo_queue.v",
	"corinfo_words.v",
	"corinfo_synapses.v",
	"corinfo_lane.v",
	"corinfo_walk.v",
	"corinfo_counters.v",
	"corinfo_steps.v",
	"corinfo_context.v",
	"corinfo_events.v",
	"corinfo_terms.v",
	"corinfo_update.v",
	"corinfo_live_inputs.v",
	"corinfo_input.v",
	"corinfo_status.v",
	"corinfo_grant.v",
	"corinfo_live.v",
	"corinfo_answer.v",
	"corinfo_load.v",
	"corinfo_presynaptic.v",
	"corinfo_join.v",
	"corinfo_sign.v",
	"corinfo_schedule.v",
	"corinfo_host.v",
	"corinfo_control.v",
}

// Text is the content of a file of the library; it panics on a name that is not in Order.
func Text(file string) []byte {
	content, err := Files.ReadFile(file)
	if err != nil {
		panic("rtl: " + err.Error())
	}
	return content
}

// instance matches the head of an instance of one of the library's modules.
var instance = regexp.MustCompile(`(?m)^ +(corinfo_\w+) (?:#\(|u_)`)

// Needed lists, in dependency order, the files of the library's modules among those named and of all that these
// instantiate.
func Needed(modules []string) []string {
	needed := map[string]bool{}
	for _, m := range modules {
		needed[m+".v"] = true
	}
	var list []string
	for i := len(Order) - 1; i >= 0; i-- { // who instantiates comes before what is instantiated
		file := Order[i]
		if !needed[file] {
			continue
		}
		for _, match := range instance.FindAllSubmatch(Text(file), -1) {
			needed[string(match[1])+".v"] = true
		}
		list = append([]string{file}, list...)
	}
	return list
}

//go:embed formal/*.sv
var formal embed.FS

// port matches a parameter or a port of a module of properties, one a line.
var port = regexp.MustCompile(`(?m)^  (?:parameter|input +wire) (?:signed )?(?:\[.*\] )?(\w+)`)

// started, in a module whose properties have a port of its name, tells that there was a reset: before, nothing holds.
const started = `  reg started_q;
  initial started_q = 1'b0;
  always @(posedge clk_i) begin
    if (rst_i) begin
      started_q <= 1'b1;
    end
  end
`

// WithProperties gives the text of a library's module, as it is or changed, with an instance of its properties before
// its end, and the text of these, SystemVerilog: every parameter and port of theirs is the name in the module that it
// takes, or started_q. A module without properties gives nil.
func WithProperties(file string, text []byte) (with, properties []byte) {
	module := strings.TrimSuffix(file, ".v")
	properties, err := formal.ReadFile("formal/" + module + "_formal.sv")
	if err != nil {
		return nil, nil
	}
	var parameters, ports []string
	for _, match := range port.FindAllSubmatch(properties, -1) {
		name := string(match[1])
		connection := fmt.Sprintf(".%s(%s)", name, name)
		if bytes.HasPrefix(match[0], []byte("  parameter")) {
			parameters = append(parameters, connection)
		} else {
			ports = append(ports, connection)
		}
	}
	set := ""
	if parameters != nil {
		set = "#(" + strings.Join(parameters, ", ") + ") "
	}
	end := bytes.LastIndex(text, []byte("endmodule"))
	instance := fmt.Sprintf("  %s_formal %su_properties (%s);\n\n", module, set, strings.Join(ports, ", "))
	if slices.Contains(ports, ".started_q(started_q)") {
		instance = started + instance
	}
	return []byte(string(text[:end]) + instance + string(text[end:])), properties
}
