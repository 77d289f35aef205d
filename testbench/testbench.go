// Package testbench holds the harnesses that run a generated design: C++ for Verilator, Verilog for
// Icarus. Both read one stimulus and print one trace; package sim drives them. Folder vectors has what designs with
// vectors of their own get: a testbench in Verilog, a test for cocotb, and a script that runs either.
package testbench

import "embed"

// Files are the harnesses.
//
//go:embed verilator icarus vectors
var Files embed.FS
