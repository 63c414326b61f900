#include "program.h"

#include <chrono>
#include <stdexcept>
#include <string>

namespace cloze {

#define DECLARE_SET(name)          \
  namespace name {                 \
  extern const InstructionSet SET; \
  }

DECLARE_SET(portable)
#if defined(__x86_64__)
DECLARE_SET(avx2)
DECLARE_SET(avx512)
DECLARE_SET(avx512bf16)
#endif

const std::vector<const InstructionSet*>& instructionSets() {
  static const std::vector<const InstructionSet*> sets = [] {
    std::vector<const InstructionSet*> found;
#if defined(__x86_64__)
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512 && __builtin_cpu_supports("avx512bf16")) found.push_back(&avx512bf16::SET);
    if (avx512) found.push_back(&avx512::SET);
    if (avx2) found.push_back(&avx2::SET);
#endif
    found.push_back(&portable::SET);
    return found;
  }();
  return sets;
}

bool multipliesInt8(const InstructionSet& set) {
#if defined(__x86_64__)
  return set.int8 && __builtin_cpu_supports("avx512vnni");
#else
  return set.int8;
#endif
}

double Arguments::number() {
  if (next_ == end_) throw std::logic_error(std::string(kernel_) + " was called with fewer arguments than it reads");
  return *next_++;
}

long Arguments::size() { return static_cast<long>(number()); }

float Arguments::real() { return static_cast<float>(number()); }

void* Arguments::address() {
  const long memory = size();
  const long offset = size();
  return memory < 0 ? nullptr : memories_.at(memory) + offset;
}

void Arguments::requireEnd() const {
  if (next_ != end_) throw std::logic_error(std::string(kernel_) + " was called with more arguments than it reads");
}

void run(const InstructionSet& set, const Program& program, Pool& pool, const std::atomic<bool>& cancelled) {
  using Clock = std::chrono::steady_clock;
  const double* const end = program.numbers + program.length;
  double* seconds = program.seconds;
  for (const double* next = program.numbers; next < end;) {
    if (cancelled) return;
    if (end - next < 2 || next[1] > end - next - 2) throw std::logic_error("a program ends within a call");
    const size_t number = static_cast<size_t>(next[0]);
    if (number >= set.kernelCount) throw std::logic_error("a program calls a kernel that there is not");
    const auto& [name, kernel] = set.kernels[number];
    const double* const first = next + 2;
    next = first + static_cast<size_t>(next[1]);
    Arguments arguments(name, first, next, program.memories);
    const Clock::time_point begin = Clock::now();
    kernel(arguments, pool);
    if (seconds) *seconds++ = std::chrono::duration<double>(Clock::now() - begin).count();
    arguments.requireEnd();
  }
}

}  // namespace cloze
