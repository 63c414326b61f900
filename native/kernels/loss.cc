// Losses and their gradients. Logits are floats; a sum over rows is taken in their order, on any number of threads.
#include <cmath>

#include "../layout.h"
#include "activation.h"
#include "chunks.h"
#include "element.h"
#include "kernels.h"
#include "softmax.h"

namespace cloze {
namespace CLOZE_ISA {
namespace {

/** What a row's loss follows from: its highest logit, the sum of e^(logit - highest), and its label's logit. */
struct RowSums {
  float highest;
  float sum;
  float label;

  Normaliser normaliser() const { return {highest, 1.0f / sum}; }
};
static_assert(sizeof(RowSums) == ROW_SUMS_FLOATS * sizeof(float));

/** Σ weight × value(i), in order. */
template <class Value>
float weightedSum(const float* weights, long count, Value value) {
  double sum = 0;
  for (long i = 0; i < count; i++) sum += static_cast<double>(weights[i]) * value(i);
  return static_cast<float>(sum);
}

}  // namespace

/**
 * Takes some columns of logits, from `first` on, into what is known of the rows: logits [R, K], labels [R], R, K,
 * first, sums [R]. The columns at 0 come first.
 */
void softmaxSums(Arguments& a, Pool& pool) {
  const float* logits = a.place<float>();
  const int32_t* labels = a.place<int32_t>();
  const long rows = a.size();
  const long columns = a.size();
  const long first = a.size();
  RowSums* sums = a.place<RowSums>();
  forRows(rows, columns, pool, [=](long row) {
    const float* x = logits + row * columns;
    RowSums& known = sums[row];
    const float before = first > 0 ? known.highest : x[0];
    const float highest = std::max(before, highestOf(x, columns));
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (long k = 0; k < columns; k++) sum += exponential(x[k] - highest);
    if (first > 0) sum += known.sum * exponential(before - highest);
    known.highest = highest;
    known.sum = sum;
    const long label = labels[row] - first;
    if (label >= 0 && label < columns) known.label = x[label];
  });
}

/** sums [R], weights [R], R, out []. */
void softmaxCrossEntropy(Arguments& a, Pool&) {
  const RowSums* sums = a.place<RowSums>();
  const float* weights = a.place<float>();
  const long rows = a.size();
  float* out = a.place<float>();
  *out = weightedSum(weights, rows, [=](long row) { return sums[row].normaliser().surprise(sums[row].label); });
}

/** dy [], logits [R, K], labels [R], weights [R], R, K, the first column, sums [R], out [R, K], its type. */
void softmaxCrossEntropyGradient(Arguments& a, Pool& pool) {
  const float* dy = a.place<float>();
  const float* logits = a.place<float>();
  const int32_t* labels = a.place<int32_t>();
  const float* weights = a.place<float>();
  const long rows = a.size();
  const long columns = a.size();
  const long first = a.size();
  const RowSums* sums = a.place<RowSums>();
  void* target = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    forRows(rows, columns, pool, [=](long row) {
      const float* x = logits + row * columns;
      T* y = static_cast<T*>(target) + row * columns;
      const float factor = *dy * weights[row];
      const Normaliser normaliser = sums[row].normaliser();
      for (long k = 0; k < columns; k++) y[k] = fromFloat<T>(factor * normaliser.probability(x[k]));
      const long label = labels[row] - first;
      if (label >= 0 && label < columns) y[label] = fromFloat<T>(factor * (normaliser.probability(x[label]) - 1.0f));
    });
  });
}

/** sums [R], weights [R], R, out []. */
void accuracy(Arguments& a, Pool&) {
  const RowSums* sums = a.place<RowSums>();
  const float* weights = a.place<float>();
  const long rows = a.size();
  float* out = a.place<float>();
  *out = weightedSum(weights, rows, [=](long row) { return sums[row].label >= sums[row].highest ? 1.0f : 0.0f; });
}

/** logits [R, C], lengths [G], labels [G, C], weights [G], G, C, normalisers [G, C, 2], out []. */
void segmentCrossEntropy(Arguments& a, Pool&) {
  const float* logits = a.place<float>();
  const int32_t* lengths = a.place<int32_t>();
  const int32_t* labels = a.place<int32_t>();
  const float* weights = a.place<float>();
  const long groups = a.size();
  const long columns = a.size();
  Normaliser* normalisers = a.place<Normaliser>();
  float* out = a.place<float>();
  double loss = 0;
  for (long g = 0; g < groups; g++) {
    for (long c = 0; c < columns; c++) {
      float highest = logits[c];
      for (long r = 1; r < lengths[g]; r++) highest = std::max(highest, logits[r * columns + c]);
      float sum = 0;
      for (long r = 0; r < lengths[g]; r++) sum += exponential(logits[r * columns + c] - highest);
      const Normaliser normaliser{highest, 1.0f / sum};
      normalisers[g * columns + c] = normaliser;
      loss += static_cast<double>(weights[g]) * normaliser.surprise(logits[labels[g * columns + c] * columns + c]);
    }
    logits += lengths[g] * columns;
  }
  *out = static_cast<float>(loss);
}

/** dy [], logits [R, C], lengths [G], labels [G, C], weights [G], G, C, normalisers [G, C, 2], out [R, C]. */
void segmentCrossEntropyGradient(Arguments& a, Pool&) {
  const float* dy = a.place<float>();
  const float* logits = a.place<float>();
  const int32_t* lengths = a.place<int32_t>();
  const int32_t* labels = a.place<int32_t>();
  const float* weights = a.place<float>();
  const long groups = a.size();
  const long columns = a.size();
  const Normaliser* normalisers = a.place<Normaliser>();
  float* out = a.place<float>();
  for (long g = 0; g < groups; g++) {
    const float factor = *dy * weights[g];
    for (long r = 0; r < lengths[g]; r++) {
      for (long c = 0; c < columns; c++) {
        const float p = normalisers[g * columns + c].probability(logits[r * columns + c]);
        out[r * columns + c] = factor * (p - (r == labels[g * columns + c] ? 1.0f : 0.0f));
      }
    }
    logits += lengths[g] * columns;
    out += lengths[g] * columns;
  }
}

/** logits, targets, weights, count, out []. */
void sigmoidCrossEntropy(Arguments& a, Pool&) {
  const float* logits = a.place<float>();
  const float* targets = a.place<float>();
  const float* weights = a.place<float>();
  const long count = a.size();
  float* out = a.place<float>();
  *out = weightedSum(weights, count, [=](long i) {
    const double x = logits[i];
    const double softplus = std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));  // log(1 + e^x)
    return softplus - targets[i] * x;
  });
}

/** dy [], logits, targets, weights, count, out. */
void sigmoidCrossEntropyGradient(Arguments& a, Pool&) {
  const float* dy = a.place<float>();
  const float* logits = a.place<float>();
  const float* targets = a.place<float>();
  const float* weights = a.place<float>();
  const long count = a.size();
  float* out = a.place<float>();
  for (long i = 0; i < count; i++) out[i] = *dy * weights[i] * (sigmoid(logits[i]) - targets[i]);
}

/** predictions, targets, weights, count, out []. */
void squaredError(Arguments& a, Pool&) {
  const float* predictions = a.place<float>();
  const float* targets = a.place<float>();
  const float* weights = a.place<float>();
  const long count = a.size();
  float* out = a.place<float>();
  *out = weightedSum(weights, count, [=](long i) {
    const double error = static_cast<double>(predictions[i]) - targets[i];
    return error * error;
  });
}

/** dy [], predictions, targets, weights, count, out. */
void squaredErrorGradient(Arguments& a, Pool&) {
  const float* dy = a.place<float>();
  const float* predictions = a.place<float>();
  const float* targets = a.place<float>();
  const float* weights = a.place<float>();
  const long count = a.size();
  float* out = a.place<float>();
  for (long i = 0; i < count; i++) out[i] = *dy * weights[i] * 2.0f * (predictions[i] - targets[i]);
}

}  // namespace CLOZE_ISA
}  // namespace cloze
