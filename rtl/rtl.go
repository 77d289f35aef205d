// Package rtl holds the hand-written Verilog that every design uses: the lane, its memories, the
// event queue, the sequencer and their counters. Each file is one module of its name and says at its top
// what it does. What depends on a network's arithmetic is printed by hdlgen.
package rtl

import "embed"

// Files are the library's modules.
//
//go:embed *.v
var Files embed.FS

// Interneuron is the file that only designs of sparse layers use.
const Interneuron = "corinfo_interneuron.v"

// Order lists the files so that every module comes after those it instantiates.
var Order = []string{
	"corinfo_ram.v",
	"corinfo_delay.v",
	"corinfo_ring.v",
	"corinfo_valid.v",
	"corinfo_choice.v",
	"corinfo_fifo.v",
	"corinfo_random.v",
	"corinfo_random_keys.v",
	"corinfo_lane.v",
	"corinfo_site.v",
	Interneuron,
	"corinfo_event_queue.v",
	"corinfo_broadcast.v",
	"corinfo_terms.v",
	"corinfo_pass.v",
	"corinfo_input.v",
	"corinfo_products.v",
	"corinfo_events.v",
	"corinfo_learn.v",
	"corinfo_sequencer.v",
	"corinfo_commands.v",
	"corinfo_context.v",
	"corinfo_result.v",
	"corinfo_host.v",
	"corinfo_counter.v",
	"corinfo_counters.v",
	"corinfo_control.v",
}
