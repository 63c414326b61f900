// Rows by index, and where sequences begin.
#include "../rounding.h"
#include "chunks.h"
#include "element.h"
#include "kernels.h"

namespace cloze {
namespace CLOZE_ISA {

/** The place of each token in its own sequence: lengths [B], B, out [T]. */
void positions(Arguments& a, Pool&) {
  const int32_t* lengths = a.place<int32_t>();
  const long count = a.size();
  int32_t* out = a.place<int32_t>();
  for (long b = 0; b < count; b++) {
    for (int32_t i = 0; i < lengths[b]; i++) *out++ = i;
  }
}

/** The index of each sequence's first token: lengths [B], B, out [B]. */
void starts(Arguments& a, Pool&) {
  const int32_t* lengths = a.place<int32_t>();
  const long count = a.size();
  int32_t* out = a.place<int32_t>();
  int32_t next = 0;
  for (long b = 0; b < count; b++) {
    out[b] = next;
    next += lengths[b];
  }
}

/** The same numbers in another type: source, its type, target, its type, count. */
void convert(Arguments& a, Pool& pool) {
  const void* source = a.place<void>();
  const Type from = static_cast<Type>(a.size());
  void* target = a.place<void>();
  const Type to = static_cast<Type>(a.size());
  const long count = a.size();
  withType(from, [&](auto source0) {
    withType(to, [&](auto target0) {
      using From = decltype(source0);
      using To = decltype(target0);
      const From* x = static_cast<const From*>(source);
      To* y = static_cast<To*>(target);
      forChunks(count, pool, [=](long begin, long end) {
        for (long i = begin; i < end; i++) y[i] = convertTo<To>(x[i]);
      });
    });
  });
}

/** One number everywhere: target, count, value. */
void fill(Arguments& a, Pool& pool) {
  float* target = a.place<float>();
  const long count = a.size();
  const float value = a.real();
  forChunks(count, pool, [=](long begin, long end) { std::fill(target + begin, target + end, value); });
}

/** Rows of a matrix: source, its type, indices [I], out, its type, I, columns. */
void gather(Arguments& a, Pool& pool) {
  const void* source = a.place<void>();
  const Type from = static_cast<Type>(a.size());
  const int32_t* indices = a.place<int32_t>();
  void* target = a.place<void>();
  const Type to = static_cast<Type>(a.size());
  const long rows = a.size();
  const long columns = a.size();
  withType(from, [&](auto source0) {
    withType(to, [&](auto target0) {
      using From = decltype(source0);
      using To = decltype(target0);
      forRows(rows, columns, pool, [=](long row) {
        const From* x = static_cast<const From*>(source) + indices[row] * columns;
        To* y = static_cast<To*>(target) + row * columns;
        for (long i = 0; i < columns; i++) y[i] = convertTo<To>(x[i]);
      });
    });
  });
}

/**
 * Adds rows to the rows that the indices name: indices [I], updates [I, columns], their type, out [rows, columns] in
 * float, I, columns. Each thread has columns of its own, and adds in the order of I.
 */
void scatterAdd(Arguments& a, Pool& pool) {
  const int32_t* indices = a.place<int32_t>();
  const void* updates = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  float* out = a.place<float>();
  const long count = a.size();
  const long columns = a.size();
  constexpr long STRIPE = 64;
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    pool.parallel(ceilDiv(columns, STRIPE), [&](long stripe, Scratch&) {
      const long first = stripe * STRIPE;
      const long width = std::min(STRIPE, columns - first);
      for (long i = 0; i < count; i++) {
        const T* x = static_cast<const T*>(updates) + i * columns + first;
        float* y = out + indices[i] * columns + first;
        for (long c = 0; c < width; c++) y[c] += toFloat(x[c]);
      }
    });
  });
}

}  // namespace CLOZE_ISA
}  // namespace cloze
