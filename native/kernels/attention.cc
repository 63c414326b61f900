// Attention inside each sequence, a block of queries after another: of the probabilities [S, S], a thread holds the
// rows of one block only. The gradient computes them again from the rows' normalisers.
#include <algorithm>
#include <cmath>

#include "activation.h"
#include "kernels.h"
#include "philox.h"
#include "softmax.h"
#include "tile.h"

namespace cloze {
namespace CLOZE_ISA {
namespace {

/** Queries of a block in the gradient. */
constexpr long BLOCK = 12 * ROWS;

/** What all sequences and heads share. */
struct Attention {
  const int32_t* lengths;
  long sequences;
  long longest;  // S
  long tokens;   // T, for whoever counts the operations of a call
  long width;    // D
  long heads;
  Dropout dropout;

  explicit Attention(Arguments& a)
      : lengths(a.place<int32_t>()),
        sequences(a.size()),
        longest(a.size()),
        tokens(a.size()),
        width(a.size()),
        heads(a.size()),
        dropout(a) {}

  long headSize() const { return width / heads; }
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(headSize())); }
};

/** One head of one sequence. */
struct Head {
  long sequence;
  long head;
  long start;  // its first token
  long length;
};

/** Calls body(head, scratch) for every head of every sequence. */
template <class Body>
void forHeads(const Attention& attention, Pool& pool, Body body) {
  std::vector<long> starts(attention.sequences);
  long next = 0;
  for (long b = 0; b < attention.sequences; b++) {
    starts[b] = next;
    next += attention.lengths[b];
  }
  pool.parallel(attention.sequences * attention.heads, [&](long task, Scratch& scratch) {
    const long b = task / attention.heads;
    body(Head{b, task % attention.heads, starts[b], attention.lengths[b]}, scratch);
  });
}

/** Where the head's rows and columns of a matrix [T, D] begin. */
long placeOf(const Attention& a, const Head& head) { return head.start * a.width + head.head * a.headSize(); }

template <class T>
View<T> viewOf(const T* matrix, const Attention& a, const Head& head) {
  return {matrix + placeOf(a, head), a.width, 1};
}

/** Multiplies one left panel by all panels of a packed right side: out [ROWS, stride], the whole of each tile. */
template <class Number>
void multiplyRow(const LeftPanel<Number>& left, const Number* right, long inner, long columns, float* out,
                 long stride) {
  const long count = steps<Number>(inner);
  for (long column = 0; column < columns; column += COLUMNS) {
    multiply(left, right, count, out + column, stride, false);
    right += count * COLUMNS * GROUP<Number>;
  }
}

/** `count` rows as a left panel: where they lie if that will do, else packed. */
template <class Number>
LeftPanel<Number> leftPanel(const View<Number>& from, long count, long inner, Number* packed) {
  if (count == ROWS && liesReady<Number>(from, inner)) return {from.data, from.rowStride, GROUP<Number>};
  packPanel<ROWS>(from, count, inner, packed);
  return packedLeft(packed);
}

/** Multiplies all panels of both sides and adds to the sums, tile after tile. */
template <class Number>
void accumulate(const Number* left, long rows, const Number* right, long columns, long inner, float* sums) {
  const long count = steps<Number>(inner);
  for (long i = 0; i < ceilDiv(rows, ROWS); i++) {
    for (long j = 0; j < ceilDiv(columns, COLUMNS); j++, sums += TILE) {
      multiply(packedLeft(left + i * count * ROWS * GROUP<Number>), right + j * count * COLUMNS * GROUP<Number>, count,
               sums, COLUMNS, true);
    }
  }
}

/** Writes rows of `from`, each number × scale, as rows of `to`; `stride` and `toStride` are from row to row. */
template <class T>
void writeRows(const float* from, long stride, long rows, long columns, float scale, T* to, long toStride) {
  for (long r = 0; r < rows; r++) {
    for (long c = 0; c < columns; c++) to[r * toStride + c] = fromFloat<T>(from[r * stride + c] * scale);
  }
}

/** Writes the sums of `accumulate` as rows that lie `stride` apart. */
template <class T>
void deliver(const float* sums, long rows, long columns, float scale, T* to, long stride) {
  for (long i = 0; i < ceilDiv(rows, ROWS); i++) {
    for (long j = 0; j < ceilDiv(columns, COLUMNS); j++, sums += TILE) {
      writeRows(sums, COLUMNS, std::min(ROWS, rows - i * ROWS), std::min(COLUMNS, columns - j * COLUMNS), scale,
                to + i * ROWS * stride + j * COLUMNS, stride);
    }
  }
}

/** Scores of one query become probabilities in place, but for their normaliser's share. */
Normaliser exponentials(float* scores, long count, float scale) {
  const float highest = highestOf(scores, count);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (long j = 0; j < count; j++) {
    scores[j] = exponential((scores[j] - highest) * scale);
    sum += scores[j];
  }
  return {highest, 1.0f / sum};
}

/** Where the factors of a query's probabilities are among all positions [B, N, S, S]. */
long maskPlace(const Attention& a, const Head& head, long query) {
  return ((head.sequence * a.heads + head.head) * a.longest + query) * a.longest;
}

template <class T>
void attend(const Attention& a, const T* query, const T* key, const T* value, T* out, Normaliser* normalisers,
            Pool& pool) {
  const long H = a.headSize();
  forHeads(a, pool, [&](const Head& head, Scratch& scratch) {
    const long S = head.length;
    const long stride = roundUp(S, COLUMNS);
    const long headStride = roundUp(H, COLUMNS);
    T* keys = scratch.array<T>(packedSize<T>(S, H, COLUMNS));
    T* values = scratch.array<T>(packedSize<T>(H, S, COLUMNS));
    T* left = scratch.array<T>(packedSize<T>(ROWS, std::max(S, H), ROWS));
    float* scores = scratch.array<float>(ROWS * std::max(stride, headStride));
    T* kept = scratch.array<T>(ROWS * stride);
    float* factors = scratch.array<float>(S);

    packPanels<COLUMNS>(viewOf(key, a, head), S, H, keys);
    packPanels<COLUMNS>(viewOf(value, a, head).transposed(), H, S, values);
    const View<T> queries = viewOf(query, a, head);
    T* const context = out + placeOf(a, head);
    for (long first = 0; first < S; first += ROWS) {
      const long rows = std::min(ROWS, S - first);
      multiplyRow(leftPanel(queries.from(first, 0), rows, H, left), keys, H, S, scores, stride);  // [rows, S]
      for (long r = 0; r < rows; r++) {
        const float* p = scores + r * stride;
        T* const to = kept + r * stride;
        const Normaliser normaliser = exponentials(scores + r * stride, S, a.scale());
        normalisers[(head.start + first + r) * a.heads + head.head] = normaliser;
        if (a.dropout.rate > 0) {
          const long place = maskPlace(a, head, first + r);
          a.dropout.factors(place, place + S, factors);
          for (long j = 0; j < S; j++) to[j] = convertTo<T>(p[j] * normaliser.share * factors[j]);
        } else {
          for (long j = 0; j < S; j++) to[j] = convertTo<T>(p[j] * normaliser.share);
        }
      }
      const View<T> probabilities{kept, stride, 1};
      multiplyRow(leftPanel(probabilities, rows, S, left), values, S, H, scores, headStride);  // [rows, H]
      writeRows(scores, headStride, rows, H, 1.0f, context + first * a.width, a.width);
    }
  });
}

/**
 * Softmax and dropout of one query, backward. Of its scores `p` and the gradient `d` of what its probabilities became
 * by dropout, all [S], it makes those, `kept`, and the gradient of the scores, `slopes`; `p`, `d` and `factors` are
 * used up.
 */
template <class T>
void scoreGradient(const Attention& a, Normaliser normaliser, long place, long S, float* p, float* d, float* factors,
                   T* kept, T* slopes) {
  const float scale = a.scale();
  for (long j = 0; j < S; j++) p[j] = normaliser.probability(p[j], scale);
  if (a.dropout.rate > 0) {
    a.dropout.factors(place, place + S, factors);
    for (long j = 0; j < S; j++) kept[j] = convertTo<T>(p[j] * factors[j]);
    for (long j = 0; j < S; j++) d[j] *= factors[j];
  } else {
    for (long j = 0; j < S; j++) kept[j] = convertTo<T>(p[j]);
  }
  float overlap = 0;
#pragma omp simd reduction(+ : overlap)
  for (long j = 0; j < S; j++) overlap += p[j] * d[j];
  for (long j = 0; j < S; j++) slopes[j] = convertTo<T>(p[j] * (d[j] - overlap));
}

/** sums [S, H] += leftᵀ · right, of the rows of a block: left [rows, S] with its stride, right [rows, H]. */
template <class T>
void addProduct(const T* left, long stride, long S, View<T> right, long H, long rows, T* packedLeft, T* packedRight,
                float* sums) {
  packPanels<COLUMNS>(right.transposed(), H, rows, packedRight);
  packPanels<ROWS>(View<T>{left, 1, stride}, S, rows, packedLeft);
  accumulate(packedLeft, S, packedRight, H, rows, sums);
}

/** The matrices [T, D] that the gradient reads, and the normalisers [T, N]. */
template <class T>
struct Sources {
  const T* dy;
  const T* query;
  const T* key;
  const T* value;
  const Normaliser* normalisers;
};

/** The matrices [T, D] that it writes, null where nobody reads them. */
template <class T>
struct Gradients {
  T* query;
  T* key;
  T* value;
};

/** The gradient of one head of one sequence, and the memory that it works in. */
template <class T>
class HeadGradient {
 public:
  HeadGradient(const Attention& a, const Head& head, const Sources<T>& from, const Gradients<T>& out, Scratch& scratch)
      : a(a),
        head(head),
        from(from),
        out(out),
        keys(scratch.array<T>(packedSize<T>(S, H, COLUMNS))),
        values(scratch.array<T>(packedSize<T>(S, H, COLUMNS))),
        keyColumns(scratch.array<T>(packedSize<T>(H, S, COLUMNS))),
        right(scratch.array<T>(packedSize<T>(H, block, COLUMNS))),
        left(scratch.array<T>(std::max(packedSize<T>(ROWS, std::max(S, H), ROWS), packedSize<T>(S, block, ROWS)))),
        scores(scratch.array<float>(ROWS * std::max(stride, headStride))),
        upperScores(scratch.array<float>(ROWS * stride)),
        kept(scratch.array<T>(block * stride)),
        slopes(scratch.array<T>(block * stride)),
        dkey(scratch.array<float>(sumsSize)),
        dvalue(scratch.array<float>(sumsSize)),
        factors(scratch.array<float>(S)) {}

  void compute() const {
    packPanels<COLUMNS>(viewOf(from.key, a, head), S, H, keys);
    packPanels<COLUMNS>(viewOf(from.value, a, head), S, H, values);
    packPanels<COLUMNS>(viewOf(from.key, a, head).transposed(), H, S, keyColumns);
    std::fill_n(dkey, sumsSize, 0.0f);
    std::fill_n(dvalue, sumsSize, 0.0f);
    for (long begin = 0; begin < S; begin += block) {
      const long rows = std::min(block, S - begin);
      for (long first = 0; first < rows; first += ROWS) takeQueries(begin, first, std::min(ROWS, rows - first));
      if (out.key) addProduct(slopes, stride, S, queries.from(begin, 0), H, rows, left, right, dkey);
      if (out.value) addProduct(kept, stride, S, upper.from(begin, 0), H, rows, left, right, dvalue);
    }
    if (out.key) deliver(dkey, S, H, a.scale(), out.key + placeOf(a, head), a.width);
    if (out.value) deliver(dvalue, S, H, 1.0f, out.value + placeOf(a, head), a.width);
  }

 private:
  /** The rows of `kept` and `slopes` of `count` queries from `first` of the block on, and their own gradient. */
  void takeQueries(long begin, long first, long count) const {
    const long query = begin + first;
    multiplyRow(leftPanel(queries.from(query, 0), count, H, left), keys, H, S, scores, stride);       // [count, S]
    multiplyRow(leftPanel(upper.from(query, 0), count, H, left), values, H, S, upperScores, stride);  // [count, S]
    for (long r = 0; r < count; r++) {
      const Normaliser normaliser = from.normalisers[(head.start + query + r) * a.heads + head.head];
      scoreGradient(a, normaliser, maskPlace(a, head, query + r), S, scores + r * stride, upperScores + r * stride,
                    factors, kept + (first + r) * stride, slopes + (first + r) * stride);
    }
    if (!out.query) return;
    const View<T> slopeRows{slopes + first * stride, stride, 1};
    multiplyRow(leftPanel(slopeRows, count, S, left), keyColumns, S, H, scores, headStride);  // [count, H]
    writeRows(scores, headStride, count, H, a.scale(), out.query + placeOf(a, head) + query * a.width, a.width);
  }

  const Attention& a;
  const Head head;
  const Sources<T> from;
  const Gradients<T> out;

  const long S = head.length;
  const long H = a.headSize();
  const long stride = roundUp(S, COLUMNS);
  const long headStride = roundUp(H, COLUMNS);
  const long block = std::min(BLOCK, roundUp(S, ROWS));
  const long sumsSize = roundUp(S, ROWS) * headStride;
  const View<T> queries = viewOf(from.query, a, head);
  const View<T> upper = viewOf(from.dy, a, head);

  T* const keys;
  T* const values;
  T* const keyColumns;
  T* const right;
  T* const left;
  float* const scores;
  float* const upperScores;
  T* const kept;
  T* const slopes;
  float* const dkey;
  float* const dvalue;
  float* const factors;
};

}  // namespace

/**
 * type of the matrices and their products, lengths [B], B, longest S, T, D, heads, seed, site, rate, query, key, value,
 * out [T, D], normalisers [T, N, 2].
 */
void attention(Arguments& a, Pool& pool) {
  const Type type = static_cast<Type>(a.size());
  const Attention attention(a);
  const void* query = a.place<void>();
  const void* key = a.place<void>();
  const void* value = a.place<void>();
  void* out = a.place<void>();
  Normaliser* normalisers = a.place<Normaliser>();
  withProductType(type, [&](auto zero) {
    using T = decltype(zero);
    attend<T>(attention, static_cast<const T*>(query), static_cast<const T*>(key), static_cast<const T*>(value),
              static_cast<T*>(out), normalisers, pool);
  });
}

/**
 * As above up to the rate; then dy, query, key, value, normalisers, dquery, dkey, dvalue (any of the last three may be
 * left out).
 */
void attentionGradient(Arguments& a, Pool& pool) {
  const Type type = static_cast<Type>(a.size());
  const Attention attention(a);
  const void* dy = a.place<void>();
  const void* query = a.place<void>();
  const void* key = a.place<void>();
  const void* value = a.place<void>();
  const Normaliser* normalisers = a.place<Normaliser>();
  void* dquery = a.place<void>();
  void* dkey = a.place<void>();
  void* dvalue = a.place<void>();
  withProductType(type, [&](auto zero) {
    using T = decltype(zero);
    const Sources<T> from{static_cast<const T*>(dy), static_cast<const T*>(query), static_cast<const T*>(key),
                          static_cast<const T*>(value), normalisers};
    const Gradients<T> out{static_cast<T*>(dquery), static_cast<T*>(dkey), static_cast<T*>(dvalue)};
    forHeads(attention, pool, [&](const Head& head, Scratch& scratch) {
      HeadGradient<T>(attention, head, from, out, scratch).compute();
    });
  });
}

}  // namespace CLOZE_ISA
}  // namespace cloze
