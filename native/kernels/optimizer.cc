// Passes over the flat buffers of parameters, gradients and moments: AdamW, LAMB and norms.
#include <cmath>

#include "chunks.h"
#include "kernels.h"

namespace cloze {
namespace CLOZE_ISA {
namespace {

/** Below it a moment becomes zero: numbers too small for the format's full precision are slow, and mean nothing. */
constexpr float SMALLEST = 1e-30f;

/** The factors of one step, the same for each number of a range (src/optim/kernels.ts). */
struct Factors {
  float gradientScale;
  float rate1;
  float rate2;
  float rootScale;
  float epsilon;
  float stepSize;
  float decay;

  explicit Factors(Arguments& a)
      : gradientScale(a.real()),
        rate1(a.real()),
        rate2(a.real()),
        rootScale(a.real()),
        epsilon(a.real()),
        stepSize(a.real()),
        decay(a.real()) {}

  float change(float p, float m, float v) const {
    return stepSize * (m / (std::sqrt(v) * rootScale + epsilon)) + decay * p;
  }
};

struct Buffers {
  float* parameters;
  const float* gradients;
  float* m;
  float* v;
  long count;

  explicit Buffers(Arguments& a)
      : parameters(a.place<float>()),
        gradients(a.place<float>()),
        m(a.place<float>()),
        v(a.place<float>()),
        count(a.size()) {}

  void updateMoments(long begin, long end, const Factors& by) const {
    for (long i = begin; i < end; i++) {
      const float g = gradients[i] * by.gradientScale;
      const float first = m[i] + (g - m[i]) * by.rate1;
      const float second = v[i] + (g * g - v[i]) * by.rate2;
      m[i] = std::fabs(first) < SMALLEST ? 0.0f : first;
      v[i] = second < SMALLEST ? 0.0f : second;
    }
  }

  void applyChanges(long begin, long end, const Factors& by) const {
    for (long i = begin; i < end; i++) parameters[i] -= by.change(parameters[i], m[i], v[i]);
  }
};

/**
 * Σ term(i)² from begin to end, in double. Four sums at once, each of a quarter: one alone would wait for its own last
 * addition most of the time.
 */
template <class Term>
double sumOfSquares(long begin, long end, Term term) {
  const auto square = [=](long i) { return static_cast<double>(term(i)) * term(i); };
  const long quarter = (end - begin) / 4;
  double first = 0, second = 0, third = 0, fourth = 0;
#pragma omp simd reduction(+ : first, second, third, fourth)
  for (long i = begin; i < begin + quarter; i++) {
    first += square(i);
    second += square(i + quarter);
    third += square(i + 2 * quarter);
    fourth += square(i + 3 * quarter);
  }
  for (long i = begin + 4 * quarter; i < end; i++) fourth += square(i);
  return first + second + third + fourth;
}

/** The sum of the chunks' parts, `stride` apart: in their order, on any number of threads. */
double sumOfParts(const double* parts, long stride, long count) {
  double sum = 0;
  for (long chunk = 0; chunk * CHUNK < count; chunk++) sum += parts[chunk * stride];
  return sum;
}

}  // namespace

/** Moves moments and parameters: parameters, gradients, m, v, count, factors. */
void adamw(Arguments& a, Pool& pool) {
  const Buffers buffers(a);
  const Factors by(a);
  forChunks(buffers.count, pool, [=](long begin, long end) {
    buffers.updateMoments(begin, end, by);
    buffers.applyChanges(begin, end, by);
  });
}

/**
 * Moves the moments and measures: as adamw, then partial sums [chunks, 2], squares of all parameters and of all
 * changes.
 */
void measureChanges(Arguments& a, Pool& pool) {
  const Buffers buffers(a);
  const Factors by(a);
  double* partial = a.place<double>();
  double* squares = a.place<double>();
  forChunks(buffers.count, pool, [=](long begin, long end) {
    buffers.updateMoments(begin, end, by);
    double* const sums = partial + 2 * (begin / CHUNK);
    const float* p = buffers.parameters;
    const float* m = buffers.m;
    const float* v = buffers.v;
    sums[0] = sumOfSquares(begin, end, [=](long i) { return p[i]; });
    sums[1] = sumOfSquares(begin, end, [=](long i) { return by.change(p[i], m[i], v[i]); });
  });
  for (long i = 0; i < 2; i++) squares[i] = sumOfParts(partial + i, 2, buffers.count);
}

/** Moves the parameters by the moments: as adamw. */
void applyChanges(Arguments& a, Pool& pool) {
  const Buffers buffers(a);
  const Factors by(a);
  forChunks(buffers.count, pool, [=](long begin, long end) { buffers.applyChanges(begin, end, by); });
}

/** Numbers, count, partial sums [chunks], the sum of all squares. */
void sumOfSquares(Arguments& a, Pool& pool) {
  const float* values = a.place<float>();
  const long count = a.size();
  double* partial = a.place<double>();
  double* out = a.place<double>();
  forChunks(count, pool, [=](long begin, long end) {
    partial[begin / CHUNK] = sumOfSquares(begin, end, [=](long i) { return values[i]; });
  });
  *out = sumOfParts(partial, 1, count);
}

}  // namespace CLOZE_ISA
}  // namespace cloze
