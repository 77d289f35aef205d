// Testbench of a board for Verilator: runs the clock until the LEDs say that the self-test passed or failed,
// prints which and ends with 0 or 1.

#include <cstdio>
#include <memory>

#include "Vboard.h"
#include "verilated.h"

int main(int argc, char** argv) {
  constexpr long kLimit = 1000000000;  // cycles
  auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
  auto board = std::make_unique<Vboard>(context.get());
  long cycle = 0;
  int led = 0;
  while (cycle < kLimit && (led & 0xc0) == 0) {
    board->clock = 1;
    board->eval();
    board->clock = 0;
    board->eval();
    led = board->led;
    ++cycle;
  }
  board->final();
  if ((led & 0xc0) == 0x80) {
    std::printf("passed after %ld cycles\n", cycle);
    return 0;
  }
  std::printf("failed after %ld cycles: LEDs %02x\n", cycle, led);
  return 1;
}
