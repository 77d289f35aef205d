// Package golden is the reference for all that is generated: network files, the bit-true fixed-point model and float models of
// CorInfoMax networks, their training, checkpoints and metrics, data sets, weights in and out, and the choice of formats. What
// a network becomes in hardware it leaves to package hdlgen.
package golden
