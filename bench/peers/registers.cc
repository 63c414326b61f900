// The register limit of matrix products: multiply-adds on numbers that stay in registers, nothing loaded or stored, as
// many sums under way as a product's tile has. Prints one line of JSON, operations a second in billions, a multiply-add
// counting two; no "bfloat16" where the processor does not multiply it.
//
//     g++ -O2 -march=native -pthread registers.cc -o registers && ./registers 2
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>
#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int WIDTH = 16;
constexpr int SUMS = 24;
#elif defined(__AVX__)
constexpr int WIDTH = 8;
constexpr int SUMS = 12;
#else
constexpr int WIDTH = 4;
constexpr int SUMS = 12;
#endif
constexpr long STEPS = 1 << 22;
constexpr int ROUNDS = 5;

typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float))));

/** Hides from the compiler what is in a register, so that it neither joins two sums nor leaves one out. */
template <class T>
inline void keep(T& value) {
  asm volatile("" : "+v"(value));
}

void multiplyFloats() {
  Vector sums[SUMS] = {};
  Vector factor = {};
  keep(factor);
  for (long step = 0; step < STEPS; step++) {
#pragma GCC unroll 24
    for (Vector& sum : sums) {
      sum += factor * factor;
      keep(sum);
    }
  }
}
constexpr double FLOATS = 2.0 * WIDTH;

#if defined(__AVX512BF16__)
void multiplyPairs() {
  __m512 sums[SUMS] = {};
  __m512i zeros = _mm512_setzero_si512();
  asm volatile("" : "+v"(zeros));
  const __m512bh factor = (__m512bh)zeros;
  for (long step = 0; step < STEPS; step++) {
#pragma GCC unroll 24
    for (__m512& sum : sums) {
      sum = _mm512_dpbf16_ps(sum, factor, factor);
      asm volatile("" : "+v"(sum));
    }
  }
}
constexpr double PAIRS = 4.0 * WIDTH;
#endif

/** Of the fastest round, all threads at once. */
double gflops(void (*multiply)(), double flopPerVector, int threads) {
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> others;
    for (int i = 1; i < threads; i++) others.emplace_back(multiply);
    multiply();
    for (std::thread& other : others) other.join();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, threads * STEPS * SUMS * flopPerVector / seconds.count() / 1e9);
  }
  return best;
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::max(1, std::atoi(arguments[1])) : 1;
  std::printf("{\"float32\": %.1f", gflops(multiplyFloats, FLOATS, threads));
#if defined(__AVX512BF16__)
  std::printf(", \"bfloat16\": %.1f", gflops(multiplyPairs, PAIRS, threads));
#endif
  std::printf("}\n");
}
