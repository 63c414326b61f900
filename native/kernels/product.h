// What all matrix products share: how the result is cut into tasks, and what becomes of a tile of it (bias, activation,
// sum) while it is in the cache.
#pragma once
#include <algorithm>

#include "../rounding.h"
#include "activation.h"
#include "philox.h"
#include "tile.h"

namespace cloze {
namespace CLOZE_ISA {

/** Panels of a task at most. A left side that has to be packed is packed for as many columns as there may be. */
struct TaskSize {
  long rowPanels;
  long columnPanels;
};
constexpr TaskSize READY{12, 16};
constexpr TaskSize PACKED{12, 96};

struct Size {
  long rows;
  long columns;
  long inner;
};

/** The part of a result that a task computes: some rows of some panels of COLUMNS columns. */
struct Block {
  long firstRow;
  long rows;
  long firstPanel;
  long panels;
};

/**
 * Calls body(block, scratch) for each block of the result. Enough of them for all threads, and of one size: shorter
 * blocks of rows, then of columns. No result depends on where the cuts are.
 */
template <class Body>
inline void forBlocks(Size size, TaskSize most, Pool& pool, Body body) {
  const long rowPanels = ceilDiv(size.rows, ROWS);
  const long columnPanels = ceilDiv(size.columns, COLUMNS);
  const long threads = pool.threads();
  const long wanted = 3 * threads;
  long rowBlocks = std::max(ceilDiv(rowPanels, most.rowPanels), std::min(wanted, ceilDiv(rowPanels, 4)));
  if (rowBlocks > threads) rowBlocks = roundUp(rowBlocks, threads);
  const long columnBlocks =
      std::max(ceilDiv(columnPanels, most.columnPanels), std::min(columnPanels, ceilDiv(wanted, rowBlocks)));
  pool.parallel(rowBlocks * columnBlocks, [&](long task, Scratch& scratch) {
    const auto cut = [](long count, long block, long blocks) { return count * block / blocks; };
    const long rowBlock = task / columnBlocks;
    const long columnBlock = task % columnBlocks;
    const long row = cut(rowPanels, rowBlock, rowBlocks) * ROWS;
    const long lastRow = std::min(cut(rowPanels, rowBlock + 1, rowBlocks) * ROWS, size.rows);
    const long panel = cut(columnPanels, columnBlock, columnBlocks);
    const long lastPanel = cut(columnPanels, columnBlock + 1, columnBlocks);
    body(Block{row, lastRow - row, panel, lastPanel - panel}, scratch);
  });
}

/** What becomes of a sum, from top to bottom. Left out where null, or 0. */
template <class Out>
struct Finish {
  const float* bias;   // [columns]
  Out* before;         // [rows, columns]: where it goes before its activation
  const Out* slopeAt;  // [rows, columns]: it is multiplied by the activation's slope there, instead
  Activation activation;
  Dropout dropout;
  const Out* addend;  // [rows, columns]; may be `out` itself
  Out* out;           // [rows, columns]
};

/**
 * Reads the end of a product's call and calls body(finish): out, its type, bias, addend, before, slopeAt, activation,
 * and a dropout's seed, site and rate.
 */
template <class Body>
inline void withFinish(Arguments& a, Body body) {
  void* out = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const float* bias = a.place<float>();
  const void* addend = a.place<void>();
  void* before = a.place<void>();
  const void* slopeAt = a.place<void>();
  const Activation activation = static_cast<Activation>(a.size());
  const Dropout dropout(a);
  withType(type, [&](auto zero) {
    using Out = decltype(zero);
    body(Finish<Out>{bias, static_cast<Out*>(before), static_cast<const Out*>(slopeAt), activation, dropout,
                     static_cast<const Out*>(addend), static_cast<Out*>(out)});
  });
}

/** The part of the result that a tile is. */
struct TilePlace {
  long row;
  long column;
  long rows;
  long columns;
  /** From one row of the result to the next. */
  long stride;

  bool isWhole() const { return rows == ROWS && columns == COLUMNS; }
};

/**
 * Finishes a tile step by step, each of them for all its rows, so that many numbers are under way at once. WHOLE: it
 * has all its rows and columns.
 */
template <bool WHOLE, class Out>
void finishSteps(const Finish<Out>& finish, float* tile, const TilePlace& place) {
  const long rows = WHOLE ? ROWS : place.rows;
  const long columns = WHOLE ? COLUMNS : place.columns;
  const long at = place.row * place.stride + place.column;
  const auto forEach = [&](auto body) {
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < columns; c++) body(tile[r * COLUMNS + c], at + r * place.stride + c);
    }
  };
  if (finish.bias) {
    const float* bias = finish.bias + place.column;
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < columns; c++) tile[r * COLUMNS + c] += bias[c];
    }
  }
  if (finish.before) forEach([&](float& value, long i) { finish.before[i] = fromFloat<Out>(value); });
  if (finish.activation != Activation::none) {
    withActivation(finish.activation, [&](auto value, auto slope) {
      if (finish.slopeAt) {
        forEach([&](float& y, long i) { y *= slope(toFloat(finish.slopeAt[i])); });
      } else {
        for (long i = 0; i < TILE; i++) tile[i] = value(tile[i]);
      }
    });
  }
  if (finish.dropout.rate > 0) {
    float factors[TILE];
    if (WHOLE && place.stride % PHILOX_POSITIONS == 0) {
      finish.dropout.template tileFactors<ROWS, COLUMNS>(at, place.stride, factors);
    } else {
      for (long r = 0; r < rows; r++) {
        const long first = at + r * place.stride;
        finish.dropout.factors(first, first + columns, factors + r * COLUMNS);
      }
    }
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < columns; c++) tile[r * COLUMNS + c] *= factors[r * COLUMNS + c];
    }
  }
  if (finish.addend) forEach([&](float& value, long i) { value += toFloat(finish.addend[i]); });
  forEach([&](float& value, long i) { finish.out[i] = fromFloat<Out>(value); });
}

template <class Out>
void finishTile(const Finish<Out>& finish, float* tile, const TilePlace& place) {
  return place.isWhole() ? finishSteps<true>(finish, tile, place) : finishSteps<false>(finish, tile, place);
}

}  // namespace CLOZE_ISA
}  // namespace cloze
