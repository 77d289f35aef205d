"""Plays the vectors of this folder into the design and compares its answers with those of the bit-true model.

A test for cocotb 2: `sh vectors/simulate cocotb` in the design's folder, or this module in a flow of one's own, with the design's
top module as the top level and the design's folder as the one that the simulator runs in.
"""

import json
import os
import sys
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

FOLDER = Path(__file__).resolve().parent
DESCRIPTION = json.loads(next(FOLDER.glob("*_vectors.json")).read_text())


def words(name):
    """The words of one of the files, as unsigned numbers."""
    return [int(line, 16) for line in (FOLDER / DESCRIPTION["files"][name]["file"]).read_text().split()]


class Design:
    """The ports of a design: drives them while the clock is low, looks at them at its rising edge."""

    def __init__(self, dut):
        self.dut = dut
        self.answers = []  # (scores, class) of every sample
        self.scores = []

    async def reset(self):
        for name in ("command_valid", "sample_valid", "host_valid", "host_write", "host_data", "host_address",
                     "command_learn", "command_negative", "command_label", "sample_data"):
            getattr(self.dut, f"{name}_i").value = 0
        self.dut.result_ready_i.value = 1
        self.dut.rst_i.value = 1
        for _ in range(4):
            await RisingEdge(self.dut.clk_i)
        await FallingEdge(self.dut.clk_i)
        self.dut.rst_i.value = 0
        cocotb.start_soon(self.watch())

    async def watch(self):
        """Collects scores and classes."""
        while True:
            await RisingEdge(self.dut.clk_i)
            if self.dut.score_valid_o.value == 1:
                assert int(self.dut.score_index_o.value) == len(self.scores)
                self.scores.append(int(self.dut.score_data_o.value))
            if self.dut.result_valid_o.value == 1:
                assert not hasattr(self.dut, "result_error_o") or self.dut.result_error_o.value == 0
                self.answers.append((self.scores, int(self.dut.result_class_o.value)))
                self.scores = []

    async def offer(self, valid, ready, **values):
        """Holds values and a valid until they are taken."""
        for name, value in values.items():
            getattr(self.dut, name).value = value
        valid.value = 1
        while True:
            await RisingEdge(self.dut.clk_i)
            taken = ready.value == 1
            await FallingEdge(self.dut.clk_i)
            if taken:
                break
        valid.value = 0

    async def run(self, learn, negative, label, inputs):
        """Gives a command and its sample."""
        dut = self.dut
        await self.offer(dut.command_valid_i, dut.command_ready_o, command_learn_i=learn, command_negative_i=negative, command_label_i=label)
        marks = hasattr(dut, "sample_last_i")
        for i, word in enumerate(inputs):
            last = {"sample_last_i": i == len(inputs) - 1} if marks else {}
            await self.offer(dut.sample_valid_i, dut.sample_ready_o, sample_data_i=word, **last)

    async def read(self, address):
        """Reads a word of the host."""
        dut = self.dut
        await self.offer(dut.host_valid_i, dut.host_ready_o, host_write_i=0, host_address_i=address)
        while dut.host_done_o.value != 1:
            await RisingEdge(dut.clk_i)
        assert dut.host_error_o.value == 0, f"address {address:#x} was refused"
        word = int(dut.host_data_o.value)
        await FallingEdge(dut.clk_i)
        return word


@cocotb.test()
async def vectors(dut):
    """Every answer is the model's, and in the end every synapse."""
    d = DESCRIPTION
    commands, inputs, scores, classes = words("commands"), words("inputs"), words("scores"), words("classes")
    label_width = d["files"]["classes"]["width"]
    cocotb.start_soon(Clock(dut.clk_i, 10, unit="ns").start())
    design = Design(dut)
    await design.reset()
    for i, command in enumerate(commands):
        await design.run(command >> label_width + 1, command >> label_width & 1, command & (1 << label_width) - 1,
                         inputs[i * d["inputs"]:(i + 1) * d["inputs"]])
    quiet = 0
    while len(design.answers) < len(commands) or dut.idle_o.value != 1:
        known = len(design.answers)
        await FallingEdge(dut.clk_i)
        quiet = quiet + 1 if len(design.answers) == known else 0
        assert quiet <= d["quiet"], f"nothing happens any more after {known} answers"
    for i in range(len(commands)):
        expected = scores[i * d["outputs"]:(i + 1) * d["outputs"]], classes[i]
        assert design.answers[i] == expected, f"sample {i}: {design.answers[i]}; expected {expected}"
    if "synapses" in d["files"]:
        width = d["files"]["synapses"]["width"]
        for i, expected in enumerate(words("synapses")):
            lane, word = divmod(i, d["depth"])
            got = await design.read(lane << d["lane_shift"] | word) & (1 << width) - 1
            assert got == expected, f"lane {lane}, address {word}: {got:x}; expected {expected:x}"


def main():
    """Builds the design and runs the test, with the simulator that SIM names."""
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    design = FOLDER.parent
    name = DESCRIPTION["design"]
    runner = get_runner(os.environ.get("SIM", "icarus"))
    build = design / "sim" / "vectors" / "cocotb"
    sources = [design / line for line in (design / f"{name}.f").read_text().split()]
    runner.build(sources=sources, hdl_toplevel=name, build_dir=build, build_args=["-g2005"] if "SIM" not in os.environ else [], always=True)
    results = runner.test(test_module=Path(__file__).stem, hdl_toplevel=name, build_dir=build, test_dir=design,
                          results_xml=str(build / "results.xml"), extra_env={"PYTHONDONTWRITEBYTECODE": "1"})
    tests, failed = get_results(results)
    sys.exit(0 if tests == 1 and failed == 0 else 1)


if __name__ == "__main__":
    main()
