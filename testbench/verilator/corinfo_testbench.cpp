// Testbench for Verilator: plays a stimulus file into a design, behind the registers of corinfo_held.v, and prints everything that it does.
//
// The protocol is that of corinfo_testbench.v, line by line; package lockstep writes the one side and reads the other.
//   stimulus   H addr data | G addr count | I words... | L label negative words... | Q      (hexadecimal)
//              E (wait until every command is done: they are given as fast as the design takes them)
//              S seed (from here on the handshakes of samples and results stall, as the seed says; 0: no more)
//              A tag lines cycles (a reset ends the next command, so many cycles after so many lines of S, R or W, or
//              after it was taken: tag C, 0 lines; or else when it is done) | B tag lines cycles (likewise: the host aborts it)
//              V words mark (the sample of the next command has so many words; mark 0: the last one is not marked)
//   output     S cycle context step neuron words | W cycle address sub words besides | O cycle index score | R cycle class error
//              D cycle addr data | Y cycle context step words (of a layer)
//              E cycle busy waiting (all commands are done; cycles since the reset with one under way, of them waiting for us)
//              Z cycle (the reset of A, the end of the abort of B)
//              N cycle addr (the access to the host's word was refused)
//              T cycle (nothing happens any more) | Q cycle (end)
// Arguments: +stimulus=FILE +inputs=N +timeout=CYCLES +wave=FILE +wave_from=CYCLE +wave_to=CYCLE +stop=CYCLE.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "Vcorinfo.h"
#include "verilated.h"
#if defined(CORINFO_WAVE_FST)
#include "verilated_fst_c.h"
using Wave = VerilatedFstC;
#define CORINFO_WAVE
#elif defined(CORINFO_WAVE_VCD)
#include "verilated_vcd_c.h"
using Wave = VerilatedVcdC;
#define CORINFO_WAVE
#endif

namespace {

// Output goes through one large buffer: a design prints a line per slot and synapse.
char buffer[1 << 22];
size_t used = 0;

void flush() {
  if (used != 0 && fwrite(buffer, 1, used, stdout) != used) {
    fprintf(stderr, "cannot write the trace\n");
    exit(1);
  }
  used = 0;
  fflush(stdout);
}

void put(char c) { buffer[used++] = c; }

void put_hex(uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; i--) put("0123456789abcdef"[(value >> (4 * i)) & 15]);
}

// A port of any width, as hexadecimal digits; its width in bits is given by the design's description.
template <typename T>
void put_port(const T& port, int bits) {
  put(' ');
  put_hex(static_cast<uint64_t>(port), (bits + 3) / 4);
}

template <std::size_t N>
void put_port(const VlWide<N>& port, int bits) {
  put(' ');
  for (int digit = (bits + 3) / 4 - 1; digit >= 0; digit--) {
    put("0123456789abcdef"[(port[digit / 8] >> (4 * (digit % 8))) & 15]);
  }
}

void put_decimal(uint64_t value) {
  used += static_cast<size_t>(snprintf(buffer + used, 24, " %llu", static_cast<unsigned long long>(value)));
}

void begin(char tag, uint64_t cycle) {
  if (used + (1 << 18) > sizeof buffer) flush();
  put(tag);
  put_decimal(cycle);
}

void end() { put('\n'); }

uint64_t argument(int argc, char** argv, const char* name, uint64_t otherwise) {
  const size_t length = strlen(name);
  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], name, length) == 0) return strtoull(argv[i] + length, nullptr, 10);
  }
  return otherwise;
}

const char* text_argument(int argc, char** argv, const char* name) {
  const size_t length = strlen(name);
  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], name, length) == 0) return argv[i] + length;
  }
  return nullptr;
}

// Reads the stimulus token by token.
class Stimulus {
 public:
  explicit Stimulus(FILE* file) : file_(file) {}

  char op() {
    int c = skip();
    return c == EOF ? 'Q' : static_cast<char>(c);
  }

  uint64_t hex() {
    uint64_t value = 0;
    for (int c = skip(); c != EOF && c > ' '; c = getc_unlocked(file_)) {
      value = value << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return value;
  }

 private:
  int skip() {
    int c;
    do c = getc_unlocked(file_);
    while (c != EOF && c <= ' ');
    return c;
  }
  FILE* file_;
};

enum class State { Next, Command, Sample, Host, Finish, Reset, Aborted };

// The reset, or the host's abort, that ends a command.
struct Abort {
  bool due = false;
  bool by_host = false;
  char tag = 'C';
  uint64_t lines = 0;   // of the tag, that are still to come before it
  uint64_t cycles = 0;  // after them

  void seen(char line) {
    if (due && line == tag && lines != 0) lines--;
  }
};

}  // namespace

int main(int argc, char** argv) {
  auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
  const char* stimulus_name = text_argument(argc, argv, "+stimulus=");
  FILE* file = fopen(stimulus_name ? stimulus_name : "stimulus.txt", "r");
  if (file == nullptr) {
    printf("F 0 cannot open the stimulus\n");
    return 1;
  }
  Stimulus stimulus(file);
  const uint64_t inputs = argument(argc, argv, "+inputs=", INPUTS);
  const uint64_t timeout = argument(argc, argv, "+timeout=", 1000000);
  const uint64_t stop = argument(argc, argv, "+stop=", UINT64_MAX);
  uint16_t lfsr = 0;  // of stalls; 0: none

  auto dut = std::make_unique<Vcorinfo>(context.get());
#ifdef CORINFO_WAVE
  const char* wave_name = text_argument(argc, argv, "+wave=");
  const uint64_t wave_from = argument(argc, argv, "+wave_from=", 0);
  const uint64_t wave_to = argument(argc, argv, "+wave_to=", UINT64_MAX);
  std::unique_ptr<Wave> wave;
  if (wave_name != nullptr) {
    context->traceEverOn(true);
    wave = std::make_unique<Wave>();
    dut->trace(wave.get(), 99);
    wave->open(wave_name);
  }
#endif

  dut->command_valid_i = 0;
  dut->sample_valid_i = 0;
  dut->sample_last_i = 0;
  dut->host_valid_i = 0;
  dut->result_ready_i = 0;
  dut->rst_i = 1;
  dut->clk_i = 0;
  for (int i = 0; i < 4; i++) {
    dut->eval();
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
  }
  dut->rst_i = 0;

  State state = State::Next;
  uint64_t cycle = 0, quiet = 0, words = 0, reads = 0, busy = 0, waiting = 0;
  uint64_t length = inputs;  // of the next sample
  bool mark = true;          // its last word is marked
  bool write = false, done = false;
  Abort abort;
  uint32_t address = 0;

  while (!done) {
    // Drive while the clock falls, let the outputs settle, look, then tick.
    if (state == State::Next) {
      switch (char op = stimulus.op()) {
        case 'I':
        case 'L':
          dut->command_learn_i = op == 'L';
          dut->command_label_i = op == 'L' ? stimulus.hex() : 0;
          dut->command_negative_i = op == 'L' ? stimulus.hex() & 1 : 0;
          dut->command_valid_i = 1;
          state = State::Command;
          break;
        case 'H':
        case 'G':
          write = op == 'H';
          address = static_cast<uint32_t>(stimulus.hex());
          if (write) {
            dut->host_data_i = stimulus.hex();
            reads = 1;
          } else {
            reads = stimulus.hex();
          }
          dut->host_address_i = address;
          dut->host_write_i = write;
          dut->host_valid_i = 1;
          state = State::Host;
          break;
        case 'E':
          state = State::Finish;
          break;
        case 'S':
          lfsr = static_cast<uint16_t>(stimulus.hex());
          break;
        case 'V':
          length = stimulus.hex();
          mark = stimulus.hex() != 0;
          break;
        case 'A':
        case 'B':
          abort.due = true;
          abort.by_host = op == 'B';
          abort.tag = stimulus.op();
          abort.lines = stimulus.hex();
          abort.cycles = stimulus.hex();
          break;
        default:
          done = true;
      }
    }
    if ((state == State::Sample || state == State::Finish) && abort.due &&
        ((abort.lines == 0 && abort.cycles-- == 0) || (state == State::Finish && dut->idle_o))) {
      // The rest of the sample is not wanted.
      if (dut->sample_valid_i) words--;
      for (; words > 0; words--) stimulus.hex();
      dut->sample_valid_i = 0;
      length = inputs;
      mark = true;
      if (abort.by_host) {
        dut->host_address_i = address = static_cast<uint32_t>(ABORT_ADDRESS);
        dut->host_write_i = write = true;
        dut->host_data_i = 0;
        dut->host_valid_i = 1;
        reads = 1;
        state = State::Host;
      } else {
        dut->rst_i = 1;
        state = State::Reset;
      }
      abort.due = false;
    }
    if (state == State::Sample && words > 0 && !dut->sample_valid_i && !(lfsr != 0 && (lfsr & 3) == 0)) {
      dut->sample_data_i = stimulus.hex();
      dut->sample_last_i = mark && words == 1;
      dut->sample_valid_i = 1;
    }
    dut->result_ready_i = (lfsr >> 8 & 3) == 0;
    if (lfsr != 0) {
      lfsr = static_cast<uint16_t>(lfsr << 1 | ((lfsr >> 15 ^ lfsr >> 13 ^ lfsr >> 12 ^ lfsr >> 10) & 1));
    }
    dut->clk_i = 0;
    dut->eval();
#ifdef CORINFO_WAVE
    if (wave && cycle >= wave_from && cycle <= wave_to) wave->dump(2 * cycle);
#endif

    if (dut->trace_step_valid_o) {
      abort.seen('S');
      begin('S', cycle);
      put_port(dut->trace_step_context_o, CONTEXT_WIDTH);
      put_port(dut->trace_step_number_o, 8);
      put_port(dut->trace_step_neuron_o, 16);
      put_port(dut->trace_step_words_o, UNITS * WORDS_WIDTH);
      end();
      quiet = 0;
    }
    if (dut->trace_shared_valid_o) {
      begin('Y', cycle);
      put_port(dut->trace_step_context_o, CONTEXT_WIDTH);
      put_port(dut->trace_step_number_o, 8);
      put_port(dut->trace_shared_words_o, SHARED_WIDTH);
      end();
      quiet = 0;
    }
    if (dut->trace_synapse_valid_o) {
      abort.seen('W');
      begin('W', cycle);
      put_port(dut->trace_synapse_address_o, 20);
      put_port(dut->trace_synapse_sub_o, 16);
      put_port(dut->trace_synapse_words_o, UNITS * SYNAPSE_WIDTH);
      put_port(dut->trace_synapse_besides_o, UNITS * BESIDE_WIDTH);
      end();
      quiet = 0;
    }
    if (dut->score_valid_o) {
      begin('O', cycle);
      put_port(dut->score_index_o, LABEL_WIDTH);
      put_port(dut->score_data_o, SCORE_WIDTH);
      end();
      quiet = 0;
    }
    if (dut->result_valid_o && dut->result_ready_i) {
      abort.seen('R');
      begin('R', cycle);
      put_port(dut->result_class_o, LABEL_WIDTH);
      put_port(dut->result_error_o, 1);
      end();
    }
    if (dut->rst_i) {
      begin('Z', cycle);
      end();
    }
    if ((dut->sample_valid_i && dut->sample_ready_o) || dut->host_done_o) quiet = 0;
    busy += !dut->idle_o;
    waiting += (dut->sample_ready_o && !dut->sample_valid_i) || (dut->result_valid_o && !dut->result_ready_i);
    if (cycle >= stop) done = true;
    if (quiet++ > timeout) {
      begin('T', cycle);
      end();
      done = true;
    }

    // Handshakes that this edge completes.
    if (state == State::Finish && dut->idle_o) {
      begin('E', cycle);
      put_decimal(busy);
      put_decimal(waiting);
      end();
      flush();  // who reads takes the time
      state = State::Next;
    }
    if (state == State::Aborted && dut->idle_o) {
      begin('Z', cycle);
      end();
      state = State::Next;
    }
    const bool started = state == State::Command && dut->command_ready_o;
    if (started) {
      state = State::Sample;
      words = length;
    }
    const bool taken = state == State::Sample && dut->sample_valid_i && dut->sample_ready_o;
    const bool answered = state == State::Host && dut->host_done_o;
    if (answered && dut->host_error_o) {
      begin('N', cycle);
      put_port(address, 32);
      end();
    }
    if (answered && !write) {
      begin('D', cycle);
      put_port(address, 32);
      put_port(static_cast<uint64_t>(dut->host_data_o), 64);
      end();
    }
    const bool accepted = state == State::Host && dut->host_valid_i && dut->host_ready_o;

    dut->clk_i = 1;
    dut->eval();
#ifdef CORINFO_WAVE
    if (wave && cycle >= wave_from && cycle <= wave_to) wave->dump(2 * cycle + 1);
#endif
    cycle++;

    if (dut->rst_i) {
      dut->rst_i = 0;
      busy = waiting = 0;
      state = State::Next;
    }
    if (started) dut->command_valid_i = 0;
    if (taken) {
      dut->sample_valid_i = 0;
      if (--words == 0) {
        state = abort.due ? State::Finish : State::Next;
        length = inputs;
        mark = true;
      }
    }
    if (accepted) dut->host_valid_i = 0;
    if (answered) {
      if (--reads == 0) {
        state = abort.by_host && !abort.due ? State::Aborted : State::Next;
        if (state == State::Aborted) abort.by_host = false;
      } else {
        dut->host_address_i = ++address;
        dut->host_valid_i = 1;
      }
    }
  }
  begin('Q', cycle);
  end();
  flush();
#ifdef CORINFO_WAVE
  if (wave) wave->close();
#endif
  dut->final();
  fclose(file);
  return 0;
}
