// Layer normalisation (Ba et al. 2016), its gradient, and sums over rows, which a bias's gradient is too.
#include <cmath>

#include "../layout.h"
#include "../rounding.h"
#include "chunks.h"
#include "element.h"
#include "kernels.h"

namespace cloze {
namespace CLOZE_ISA {
namespace {

long blocksOf(long rows) { return ceilDiv(rows, ROW_BLOCK); }

/** out[c] = Σ over the blocks of partial[block, c], in their order; `stride` numbers lie between two blocks. */
void sumBlocks(const float* partial, long blocks, long stride, long columns, float* out) {
  std::copy_n(partial, columns, out);
  for (long block = 1; block < blocks; block++) {
    const float* next = partial + block * stride;
    for (long c = 0; c < columns; c++) out[c] += next[c];
  }
}

}  // namespace

/** x [rows, columns], its type, rows, columns, partial sums [blocks of rows, columns], out [columns], in float. */
void sumRows(Arguments& a, Pool& pool) {
  const void* source = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const long rows = a.size();
  const long columns = a.size();
  float* partial = a.place<float>();
  float* out = a.place<float>();
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    pool.parallel(blocksOf(rows), [&](long block, Scratch&) {
      float* sums = partial + block * columns;
      std::fill_n(sums, columns, 0.0f);
      for (long row = block * ROW_BLOCK; row < std::min(rows, (block + 1) * ROW_BLOCK); row++) {
        const T* x = static_cast<const T*>(source) + row * columns;
        for (long c = 0; c < columns; c++) sums[c] += toFloat(x[c]);
      }
    });
  });
  sumBlocks(partial, blocksOf(rows), columns, columns, out);
}

/** x, out [rows, columns], their type, rows, columns, weight, bias, epsilon, means, scales [rows]. */
void layerNorm(Arguments& a, Pool& pool) {
  const void* source = a.place<void>();
  void* target = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const long rows = a.size();
  const long columns = a.size();
  const float* weight = a.place<float>();
  const float* bias = a.place<float>();
  const float epsilon = a.real();
  float* means = a.place<float>();
  float* scales = a.place<float>();
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    forRows(rows, columns, pool, [=](long row) {
      const T* x = static_cast<const T*>(source) + row * columns;
      T* y = static_cast<T*>(target) + row * columns;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (long c = 0; c < columns; c++) sum += toFloat(x[c]);
      const float mean = sum / columns;
      float squares = 0;
#pragma omp simd reduction(+ : squares)
      for (long c = 0; c < columns; c++) squares += (toFloat(x[c]) - mean) * (toFloat(x[c]) - mean);
      const float scale = 1.0f / std::sqrt(squares / columns + epsilon);
      for (long c = 0; c < columns; c++) y[c] = fromFloat<T>((toFloat(x[c]) - mean) * scale * weight[c] + bias[c]);
      means[row] = mean;
      scales[row] = scale;
    });
  });
}

/**
 * dy, x [rows, columns], their type, rows, columns, weight, means, scales, partial sums [blocks of rows, 2,
 * columns], dx, dweight, dbias (any of the three may be left out).
 */
void layerNormGradient(Arguments& a, Pool& pool) {
  const void* upper = a.place<void>();
  const void* source = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const long rows = a.size();
  const long columns = a.size();
  const float* weight = a.place<float>();
  const float* means = a.place<float>();
  const float* scales = a.place<float>();
  float* partial = a.place<float>();
  void* lower = a.place<void>();
  float* dweight = a.place<float>();
  float* dbias = a.place<float>();
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    pool.parallel(blocksOf(rows), [&](long block, Scratch& scratch) {
      float* weights = partial + 2 * block * columns;
      float* biases = weights + columns;
      std::fill_n(weights, 2 * columns, 0.0f);
      float* normal = scratch.array<float>(columns);  // (x - mean) × scale
      float* scaled = scratch.array<float>(columns);  // dy × weight
      for (long row = block * ROW_BLOCK; row < std::min(rows, (block + 1) * ROW_BLOCK); row++) {
        const T* dy = static_cast<const T*>(upper) + row * columns;
        const T* x = static_cast<const T*>(source) + row * columns;
        const float mean = means[row];
        const float scale = scales[row];
        for (long c = 0; c < columns; c++) normal[c] = (toFloat(x[c]) - mean) * scale;
        for (long c = 0; c < columns; c++) scaled[c] = toFloat(dy[c]) * weight[c];
        float sum = 0;
        float overlap = 0;
#pragma omp simd reduction(+ : sum, overlap)
        for (long c = 0; c < columns; c++) {
          sum += scaled[c];
          overlap += scaled[c] * normal[c];
        }
        for (long c = 0; c < columns; c++) weights[c] += toFloat(dy[c]) * normal[c];
        for (long c = 0; c < columns; c++) biases[c] += toFloat(dy[c]);
        if (!lower) continue;
        T* dx = static_cast<T*>(lower) + row * columns;
        const float shift = sum / columns;
        const float slope = overlap / columns;
        for (long c = 0; c < columns; c++) dx[c] = fromFloat<T>(scale * (scaled[c] - shift - normal[c] * slope));
      }
    });
  });
  if (dweight) sumBlocks(partial, blocksOf(rows), 2 * columns, columns, dweight);
  if (dbias) sumBlocks(partial + columns, blocksOf(rows), 2 * columns, columns, dbias);
}

}  // namespace CLOZE_ISA
}  // namespace cloze
