#include "program.h"

#include <chrono>

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

void run(const InstructionSet& set, const Program& program, Pool& pool, const std::atomic<bool>& cancelled) {
  using Clock = std::chrono::steady_clock;
  const double* const end = program.numbers + program.length;
  double* seconds = program.seconds;
  for (const double* next = program.numbers; next < end;) {
    if (cancelled) return;
    const size_t kernel = static_cast<size_t>(next[0]);
    const size_t count = static_cast<size_t>(next[1]);
    Arguments arguments(next + 2, program.memories);
    const Clock::time_point begin = Clock::now();
    set.kernels[kernel].kernel(arguments, pool);
    if (seconds) *seconds++ = std::chrono::duration<double>(Clock::now() - begin).count();
    next += 2 + count;
  }
}

}  // namespace cloze
