// Package testbench holds the harnesses that run a generated design: C++ for Verilator, Verilog for
// Icarus. Both read one stimulus and print one trace; package sim drives them.
package testbench

import "embed"

// Files are the harnesses.
//
//go:embed verilator icarus
var Files embed.FS
