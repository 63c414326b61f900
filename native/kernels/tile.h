// The heart of every matrix product: a tile of a few rows by two vectors, kept in registers while it runs through both
// factors, which are packed so that it reads each of them from one end to the other.
//
// A factor is cut into panels: of ROWS rows on the left, of COLUMNS columns on the right. A panel lists its numbers
// step by step along the inner dimension; a step is as many inner indices as one instruction takes, GROUP of them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <utility>
#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include "../layout.h"
#include "../rounding.h"
#include "element.h"

namespace cloze {
namespace CLOZE_ISA {

#if defined(__AVX512F__)
constexpr long WIDTH = 16;
constexpr long ROWS = 12;
#elif defined(__AVX__)
constexpr long WIDTH = 8;
constexpr long ROWS = 6;
#else
constexpr long WIDTH = 4;
constexpr long ROWS = 6;
#endif
constexpr long COLUMNS = 2 * WIDTH;
constexpr long TILE = ROWS * COLUMNS;

typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float))));

inline Vector load(const float* from) {
  Vector value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline void store(float* to, Vector value) { std::memcpy(to, &value, sizeof value); }

/** Inner indices that one step takes. */
template <class Number>
constexpr long GROUP = 1;
template <>
constexpr long GROUP<BFloat16> = BFLOAT16_GROUP;

template <class Number>
inline long steps(long inner) {
  return ceilDiv(inner, GROUP<Number>);
}

/**
 * The left side of a tile: ROWS rows, packed as one panel or as they lie in memory, where a row's steps follow one
 * another. Number i of a row's step k is at row × rowStride + k × stepStride + i.
 */
template <class Number>
struct LeftPanel {
  const Number* data;
  long rowStride;
  long stepStride;
};

/** Its rows in threes, which an address reaches from one pointer by the stride, once or twice. */
template <class Number>
struct LeftRows {
  const Number* groups[ROWS / 3];
  long stride;

  explicit LeftRows(const LeftPanel<Number>& panel) : stride(panel.rowStride) {
    for (long i = 0; i < ROWS / 3; i++) groups[i] = panel.data + 3 * i * stride;
  }
  const Number* operator[](long row) const { return groups[row / 3] + row % 3 * stride; }
  void advance(long step) {
    for (const Number*& group : groups) group += step;
  }
};

/**
 * tile (+)= left · right, one panel each, over `steps` steps. The tile is [ROWS, COLUMNS], its rows `stride` apart.
 * `ahead` is how far behind the right panel the next one lies, which is fetched meanwhile: beside few rows products
 * wait for memory.
 */
inline void multiply(const LeftPanel<float>& left, const float* right, long steps, float* tile, long stride, bool add,
                     long ahead = 0) {
  Vector sums[ROWS][2] = {};
  LeftRows<float> rows(left);
  for (long step = 0; step < steps; step++, rows.advance(left.stepStride), right += COLUMNS) {
    __builtin_prefetch(right + ahead, 0, 2);
    __builtin_prefetch(right + ahead + COLUMNS / 2, 0, 2);
    const Vector first = load(right);
    const Vector second = load(right + WIDTH);
#pragma GCC unroll 12
    for (long row = 0; row < ROWS; row++) {
      const float factor = *rows[row];
      sums[row][0] += factor * first;
      sums[row][1] += factor * second;
    }
  }
  for (long row = 0; row < ROWS; row++, tile += stride) {
    store(tile, add ? load(tile) + sums[row][0] : sums[row][0]);
    store(tile + WIDTH, add ? load(tile + WIDTH) + sums[row][1] : sums[row][1]);
  }
}

#if defined(__AVX512BF16__)
/** As above; each lane of the right side and each number of the left is a pair, whose products are summed in float. */
inline void multiply(const LeftPanel<BFloat16>& left, const BFloat16* right, long steps, float* tile, long stride,
                     bool add, long ahead = 0) {
  __m512 sums[ROWS][2] = {};
  LeftRows<BFloat16> rows(left);
  for (long step = 0; step < steps; step++, rows.advance(left.stepStride), right += 2 * COLUMNS) {
    __builtin_prefetch(right + ahead, 0, 2);
    __builtin_prefetch(right + ahead + COLUMNS, 0, 2);
    const __m512bh first = (__m512bh)_mm512_loadu_si512(right);
    const __m512bh second = (__m512bh)_mm512_loadu_si512(right + COLUMNS);
#pragma GCC unroll 12
    for (long row = 0; row < ROWS; row++) {
      int32_t pair;
      std::memcpy(&pair, rows[row], sizeof pair);
      const __m512bh both = (__m512bh)_mm512_set1_epi32(pair);
      sums[row][0] = _mm512_dpbf16_ps(sums[row][0], both, first);
      sums[row][1] = _mm512_dpbf16_ps(sums[row][1], both, second);
    }
  }
  for (long row = 0; row < ROWS; row++, tile += stride) {
    _mm512_storeu_ps(tile, add ? _mm512_add_ps(_mm512_loadu_ps(tile), sums[row][0]) : sums[row][0]);
    _mm512_storeu_ps(tile + WIDTH, add ? _mm512_add_ps(_mm512_loadu_ps(tile + WIDTH), sums[row][1]) : sums[row][1]);
  }
}
#endif

/** Calls body with a number of the type that products are to be computed in. Throws for one that the set cannot. */
template <class Body>
inline void withProductType(Type type, Body body) {
#if defined(__AVX512BF16__)
  return withType(type, body);
#else
  if (type != Type::float32) throw std::logic_error("this instruction set multiplies floats alone");
  body(float{});
#endif
}

/** A matrix in memory: its number at (row, column) is at row × rowStride + column × columnStride. */
template <class T>
struct View {
  const T* data;
  long rowStride;
  long columnStride;

  T at(long row, long column) const { return data[row * rowStride + column * columnStride]; }
  View from(long row, long column) const {
    return {data + row * rowStride + column * columnStride, rowStride, columnStride};
  }
  View transposed() const { return {data, columnStride, rowStride}; }
};

/** Whether a left side can be read as it lies: its numbers are of the right type, and a row's follow one another. */
template <class Number, class T>
inline bool liesReady(const View<T>& left, long inner) {
  return std::is_same<Number, T>::value && left.columnStride == 1 && inner % GROUP<Number> == 0;
}

/** A left panel as `packPanel` writes it. */
template <class Number>
inline LeftPanel<Number> packedLeft(const Number* panel) {
  return {panel, GROUP<Number>, ROWS * GROUP<Number>};
}

/** What one step of a panel holds of one row: a number, or a pair of them. */
inline float joined(float first, float) { return first; }

inline uint32_t joined(BFloat16 first, BFloat16 second) {
  return first.bits | static_cast<uint32_t>(second.bits) << 16;
}

template <class Number>
using Joined = decltype(joined(Number{}, Number{}));

/** As many joints, which take 32 bits each, as a vector holds. */
typedef uint32_t Lanes __attribute__((vector_size(WIDTH * sizeof(uint32_t))));

#if defined(__AVX512BF16__)
/** Of two vectors of 16-bit numbers each lane's: the first one's, and beside it the second one's. */
template <size_t... LANE>
inline Lanes pairedLanes(std::index_sequence<LANE...>) {
  return Lanes{(LANE | (2 * WIDTH + LANE) << 16)...};
}
#endif

/** Writes one step of SIZE rows whose numbers follow one another in memory, from one inner index or two. */
template <long SIZE, class Number, class T>
inline void joinRows(const T* first, const T* second, Joined<Number>* to) {
#if defined(__AVX512BF16__)
  if constexpr (SIZE < WIDTH && std::is_same<T, BFloat16>::value && std::is_same<Number, BFloat16>::value) {
    constexpr __mmask16 ALL = (1 << SIZE) - 1;
    const auto rowsOf = [](const T* from) { return _mm512_castsi256_si512(_mm256_maskz_loadu_epi16(ALL, from)); };
    const Lanes alternating = pairedLanes(std::make_index_sequence<WIDTH>());
    const __m512i pairs = _mm512_permutex2var_epi16(rowsOf(first), (__m512i)alternating, rowsOf(second));
    return _mm512_mask_storeu_epi32(to, ALL, pairs);
  }
#endif
  for (long row = 0; row < SIZE; row++) to[row] = joined(convertTo<Number>(first[row]), convertTo<Number>(second[row]));
}

/** The lanes of two vectors, one after another, that are named. */
template <size_t... LANE>
inline Lanes shuffled(Lanes first, Lanes second) {
#if defined(__clang__)
  return __builtin_shufflevector(first, second, LANE...);
#else
  return __builtin_shuffle(first, second, Lanes{LANE...});
#endif
}

/** Exchanges, in each square of 2 STEP rows and lanes, the upper right quarter and the lower left one. */
template <long STEP, size_t... LANE>
inline void exchangeQuarters(Lanes* rows, std::index_sequence<LANE...>) {
  for (long row = 0; row < WIDTH; row++) {
    if (row & STEP) continue;
    const Lanes upper = rows[row];
    const Lanes lower = rows[row + STEP];
    rows[row] = shuffled<(LANE & STEP ? WIDTH + LANE - STEP : LANE)...>(upper, lower);
    rows[row + STEP] = shuffled<(LANE & STEP ? WIDTH + LANE : LANE + STEP)...>(upper, lower);
  }
}

/** Transposes a square of WIDTH rows, in vector registers. */
inline void transpose(Lanes* rows) {
  constexpr auto LANE = std::make_index_sequence<WIDTH>();
  exchangeQuarters<1>(rows, LANE);
  exchangeQuarters<2>(rows, LANE);
  if constexpr (WIDTH > 4) exchangeQuarters<4>(rows, LANE);
  if constexpr (WIDTH > 8) exchangeQuarters<8>(rows, LANE);
}

/** Packs WIDTH steps of WIDTH rows, each of which lies in one piece, to `to`: steps of SIZE joints. */
template <long SIZE, class Number, class T>
inline void packSquare(View<T> from, Joined<Number>* to) {
  constexpr long COUNT = WIDTH * GROUP<Number>;
  Lanes rows[WIDTH];
  for (long row = 0; row < WIDTH; row++) {
    const T* source = from.data + row * from.rowStride;
    if constexpr (std::is_same<T, Number>::value) {
      std::memcpy(&rows[row], source, sizeof(Lanes));
    } else {
      Number numbers[COUNT];
      for (long i = 0; i < COUNT; i++) numbers[i] = convertTo<Number>(source[i]);
      std::memcpy(&rows[row], numbers, sizeof(Lanes));
    }
  }
  transpose(rows);
  for (long step = 0; step < WIDTH; step++) std::memcpy(to + step * SIZE, &rows[step], sizeof(Lanes));
}

/**
 * Packs `count` rows of [count, inner] as one panel of SIZE rows, zeros behind the last row and the last inner index. A
 * right factor is packed by its transpose.
 */
template <long SIZE, class Number, class T>
inline void packPanel(View<T> from, long count, long inner, Number* to) {
  constexpr long G = GROUP<Number>;
  static_assert(G <= 2);
  const long whole = inner / G * G;
  Joined<Number>* const joints = reinterpret_cast<Joined<Number>*>(to);  // all that is written, so of one type
  if (count < SIZE || whole < inner) std::fill_n(joints, SIZE * steps<Number>(inner), Joined<Number>{});
  if (count == SIZE && from.rowStride == 1) {
    for (long k = 0; k < whole; k += G) {
      const T* first = from.data + k * from.columnStride;
      joinRows<SIZE, Number>(first, first + (G - 1) * from.columnStride, joints + k / G * SIZE);
    }
  } else {
    constexpr long BLOCK = WIDTH * G;  // of inner indices, so that cache lines are used up
    for (long begin = 0; begin < whole; begin += BLOCK) {
      long row = 0;
      if (from.columnStride == 1 && begin + BLOCK <= whole) {
        for (; row + WIDTH <= count; row += WIDTH) {
          packSquare<SIZE, Number>(from.from(row, begin), joints + begin / G * SIZE + row);
        }
      }
      for (; row < count; row++) {
        const T* source = from.data + row * from.rowStride;
        for (long k = begin; k < std::min(whole, begin + BLOCK); k += G) {
          const T first = source[k * from.columnStride];
          const T second = source[(k + G - 1) * from.columnStride];
          joints[k / G * SIZE + row] = joined(convertTo<Number>(first), convertTo<Number>(second));
        }
      }
    }
  }
  if (whole == inner) return;
  for (long row = 0; row < count; row++) {
    joints[whole / G * SIZE + row] = joined(convertTo<Number>(from.at(row, whole)), Number{});
  }
}

/** Packs all of [count, inner], panel after panel. */
template <long SIZE, class Number, class T>
inline void packPanels(View<T> from, long count, long inner, Number* to) {
  for (long row = 0; row < count; row += SIZE) {
    packPanel<SIZE>(from.from(row, 0), count - row < SIZE ? count - row : SIZE, inner, to);
    to += SIZE * steps<Number>(inner) * GROUP<Number>;
  }
}

/** Numbers that `packPanels` writes. */
template <class Number>
inline long packedSize(long count, long inner, long size) {
  return roundUp(count, size) * steps<Number>(inner) * GROUP<Number>;
}

}  // namespace CLOZE_ISA
}  // namespace cloze
