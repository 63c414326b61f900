// Matrix products of 8-bit integers, for weights that stay (Jacob et al. 2018, "Quantization and Training of Neural
// Networks for Efficient Integer-Arithmetic-Only Inference").
//
// A column of the right side, which is one output's weights, is scale × q with q from -127 to 127. A row of the left
// side is scale × (q - zero) with q from 0 to 255, so that 0 is exact and numbers of one sign, as activations leave
// them, have all 8 bits. Both are the nearest such numbers to what they stand for, and all that is lost: the sum of q ·
// q' is exact, and so is zero × the sum of q', which is taken from it.
//
// VPDPBUSD adds four products of 8 bits to a lane of 32 without saturation on the way, so a sum is right as long as it
// fits: 255 × 127 × inner < 2^31, which 66,000 inner indices do.
#include "kernels.h"

// Only sets with vectors of 512 bits have these kernels; SET.int8 tells whether the processor has the instruction.
#if defined(__AVX512F__)
#include <immintrin.h>

#include "chunks.h"
#include "product.h"

namespace cloze {
namespace CLOZE_ISA {

template <>
constexpr long GROUP<int8_t> = INT8_GROUP;

namespace {

/** What makes numbers of the integers of a row on the left. */
struct RowCode {
  float scale;
  int32_t zero;
};
static_assert(sizeof(RowCode) == QUANTIZED_CODE);

/** What makes numbers of the integers of a panel on the right: scales, and the sums of the integers of each column. */
struct PanelCode {
  float scales[COLUMNS];
  int32_t sums[COLUMNS];
};
static_assert(sizeof(PanelCode) == COLUMNS * QUANTIZED_CODE);
static_assert(ROWS == QUANTIZED_ROWS);

/** Bytes of a row on the left: its integers, zeros behind them up to a whole step, its code. */
long rowBytes(long inner) { return steps<int8_t>(inner) * GROUP<int8_t> + sizeof(RowCode); }

/** Bytes of a panel's integers, behind which its code lies. */
long panelIntegers(long inner) { return steps<int8_t>(inner) * COLUMNS * GROUP<int8_t>; }

template <class Code>
Code codeAt(const void* from) {
  Code code;
  std::memcpy(&code, from, sizeof code);
  return code;
}

/** What numbers range over, 0 among them; `odd` is NaN where one of them is not finite, else 0. */
struct Range {
  float low;
  float high;
  float odd;
};

template <class T>
Range rangeOf(const T* x, long count) {
  float low = 0;
  float high = 0;
  float odd = 0;
#pragma omp simd reduction(min : low) reduction(max : high) reduction(+ : odd)
  for (long i = 0; i < count; i++) {
    const float value = toFloat(x[i]);
    low = value < low ? value : low;
    high = value > high ? value : high;
    odd += value - value;
  }
  return {low, high, odd};
}

/** 1 / scale; 0 where the scale is 0 or not finite, so that all integers are then 0 and the scale alone tells. */
float inverseOf(float scale) { return scale > 0 && scale < INFINITY ? 1.0f / scale : 0.0f; }

float clamped(float x, float low, float high) {
  x = x > low ? x : low;
  return x < high ? x : high;
}

template <class T>
void quantizeRow(const T* x, long inner, uint8_t* to) {
  const Range range = rangeOf(x, inner);
  const float scale = (range.high - range.low) / 255 + range.odd;
  const float inverse = inverseOf(scale);
  const float zero = clamped(__builtin_rintf(-range.low * inverse), 0, 255);
  for (long i = 0; i < inner; i++) {
    to[i] = static_cast<uint8_t>(clamped(__builtin_rintf(toFloat(x[i]) * inverse) + zero, 0, 255));
  }
  const long whole = steps<int8_t>(inner) * GROUP<int8_t>;
  std::fill(to + inner, to + whole, uint8_t{0});
  const RowCode code{scale, static_cast<int32_t>(zero)};
  std::memcpy(to + whole, &code, sizeof code);
}

/**
 * tile = left · right, both of integers, over `steps` steps: ROWS rows, `rowStride` bytes apart, against one panel,
 * while the one that lies `ahead` bytes behind it is fetched.
 */
__attribute__((target("avx512vnni"))) void multiply(const uint8_t* left, long rowStride, const int8_t* right,
                                                    long ahead, long steps, int32_t* tile) {
  Lanes sums[ROWS][2] = {};  // no __m512i, an array of which GCC 12 does not keep in registers
  LeftRows<uint8_t> rows({left, rowStride, GROUP<int8_t>});
  for (long step = 0; step < steps; step++, rows.advance(GROUP<int8_t>), right += COLUMNS * GROUP<int8_t>) {
    __builtin_prefetch(right + ahead, 0, 2);
    __builtin_prefetch(right + ahead + WIDTH * GROUP<int8_t>, 0, 2);
    const __m512i first = _mm512_loadu_si512(right);
    const __m512i second = _mm512_loadu_si512(right + WIDTH * GROUP<int8_t>);
#pragma GCC unroll 12
    for (long row = 0; row < ROWS; row++) {
      int32_t four;
      std::memcpy(&four, rows[row], sizeof four);
      const __m512i all = _mm512_set1_epi32(four);
      sums[row][0] = (Lanes)_mm512_dpbusd_epi32((__m512i)sums[row][0], all, first);
      sums[row][1] = (Lanes)_mm512_dpbusd_epi32((__m512i)sums[row][1], all, second);
    }
  }
  for (long row = 0; row < ROWS; row++, tile += COLUMNS) {
    _mm512_storeu_si512(tile, (__m512i)sums[row][0]);
    _mm512_storeu_si512(tile + WIDTH, (__m512i)sums[row][1]);
  }
}

}  // namespace

/** Quantizes rows: source, its type, rows, inner, target, whose rows are `rowBytes` long. */
void quantizeRows(Arguments& a, Pool& pool) {
  const void* source = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const long rows = a.size();
  const long inner = a.size();
  uint8_t* target = a.place<uint8_t>();
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    forRows(rows, inner, pool, [=](long row) {
      quantizeRow(static_cast<const T*>(source) + row * inner, inner, target + row * rowBytes(inner));
    });
  });
}

/** Quantizes and packs right sides, stored transposed: source [columns, inner], inner, columns, target. */
void packQuantized(Arguments& a, Pool& pool) {
  const float* source = a.place<float>();
  const long inner = a.size();
  const long columns = a.size();
  int8_t* target = a.place<int8_t>();
  constexpr long G = GROUP<int8_t>;
  const long integers = panelIntegers(inner);
  pool.parallel(ceilDiv(columns, COLUMNS), [&](long panel, Scratch&) {
    int8_t* to = target + panel * (integers + static_cast<long>(sizeof(PanelCode)));
    std::fill_n(to, integers, int8_t{0});
    PanelCode code = {};
    for (long c = 0; c < std::min(COLUMNS, columns - panel * COLUMNS); c++) {
      const float* weights = source + (panel * COLUMNS + c) * inner;
      const Range range = rangeOf(weights, inner);
      const float scale = std::max(range.high, -range.low) / 127 + range.odd;
      const float inverse = inverseOf(scale);
      int32_t sum = 0;
      for (long k = 0; k < inner; k++) {
        const int8_t q = static_cast<int8_t>(clamped(__builtin_rintf(weights[k] * inverse), -127, 127));
        to[(k / G * COLUMNS + c) * G + k % G] = q;
        sum += q;
      }
      code.scales[c] = scale;
      code.sums[c] = sum;
    }
    std::memcpy(to + integers, &code, sizeof code);
  });
}

/**
 * out = finish(left · right): quantized rows, which lie one after another up to a whole panel of ROWS, packed right,
 * rows, columns, inner, and what `withFinish` reads.
 */
void quantizedProduct(Arguments& a, Pool& pool) {
  const uint8_t* left = a.place<uint8_t>();
  const int8_t* right = a.place<int8_t>();
  const long rows = a.size();
  const long columns = a.size();
  const long inner = a.size();
  const long allSteps = steps<int8_t>(inner);
  const long rowStride = rowBytes(inner);
  const long integers = panelIntegers(inner);
  const long panelBytes = integers + static_cast<long>(sizeof(PanelCode));
  const auto multiplyBlock = [=](const auto& finish, const Block& block) {
    const long lastRow = block.firstRow + block.rows;
    alignas(64) int32_t sums[TILE];
    alignas(64) float tile[TILE] = {};
    for (long panel = block.firstPanel; panel < block.firstPanel + block.panels; panel++) {
      const int8_t* rightPanel = right + panel * panelBytes;
      const PanelCode panelCode = codeAt<PanelCode>(rightPanel + integers);
      for (long row = block.firstRow; row < lastRow; row += ROWS) {
        const uint8_t* leftRows = left + row * rowStride;
        multiply(leftRows, rowStride, rightPanel, panelBytes, allSteps, sums);
        const TilePlace place{row, panel * COLUMNS, std::min(ROWS, lastRow - row),
                              std::min(COLUMNS, columns - panel * COLUMNS), columns};
        for (long r = 0; r < place.rows; r++) {
          const RowCode code = codeAt<RowCode>(leftRows + (r + 1) * rowStride - sizeof(RowCode));
          for (long c = 0; c < COLUMNS; c++) {
            const int32_t sum = sums[r * COLUMNS + c] - code.zero * panelCode.sums[c];
            tile[r * COLUMNS + c] = static_cast<float>(sum) * (code.scale * panelCode.scales[c]);
          }
        }
        finishTile(finish, tile, place);
      }
    }
  };
  withFinish(a, [&](const auto& finish) {
    forBlocks({rows, columns, inner}, READY, pool, [&](const Block& block, Scratch&) { multiplyBlock(finish, block); });
  });
}

}  // namespace CLOZE_ISA
}  // namespace cloze
#endif
