// Matrix products: both factors packed, the result finished (bias, activation, sum) while it is in the cache.
#include <algorithm>
#include <type_traits>

#include "activation.h"
#include "kernels.h"
#include "philox.h"
#include "tile.h"

namespace cloze {
namespace CLOZE_ISA {
namespace {

/** Inner indices, in steps, whose panels stay in a core's caches. */
constexpr long STEPS = 512;
/** Inner indices of a left panel that are packed before those of the next one: a whole number of steps. */
constexpr long PACKED_AT_ONCE = 16;
/** Panels of a task at most. A left side that has to be packed is packed for as many columns as there may be. */
struct TaskSize {
  long rowPanels;
  long columnPanels;
};
constexpr TaskSize READY{12, 16};
constexpr TaskSize PACKED{6, 96};

/** What becomes of a finished sum, from top to bottom. Left out where null, or 0. */
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

/** The part of the result that a tile is. */
struct TilePlace {
  long row;
  long column;
  long rows;
  long columns;
  /** From one row of the result to the next. */
  long stride;
};

/**
 * Finishes a tile step by step, each of them for all its rows, so that many numbers are under way at once. WHOLE: it
 * has all its rows and columns.
 */
template <bool WHOLE, class Out>
void finishTile(const Finish<Out>& finish, float* tile, const TilePlace& place) {
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

struct Size {
  long rows;
  long columns;
  long inner;
};

/** Whether the left side can be read as it lies: its numbers are of the right type, and a row's follow one another. */
template <class Number, class Left>
bool liesReady(const View<Left>& left, long inner) {
  return std::is_same<Number, Left>::value && left.columnStride == 1 && inner % GROUP<Number> == 0;
}

/** One task of a product: a block of rows of the left side against a block of panels of the right side. */
template <class Number, class Left, class Out>
void multiplyBlock(View<Left> left, const Number* right, const Finish<Out>& finish, Size size, long firstRow, long rows,
                   long firstPanel, long lastPanel, Scratch& scratch) {
  constexpr long G = GROUP<Number>;
  const long allSteps = steps<Number>(size.inner);
  const long rowPanels = panels(rows, ROWS);
  const long columnPanels = lastPanel - firstPanel;
  const long blockSteps = std::min(allSteps, STEPS);
  const bool ready = liesReady<Number>(left, size.inner);
  const size_t packedBytes = (rowPanels * ROWS * blockSteps * G * sizeof(Number) + 63) / 64 * 64;
  const long tiles = allSteps > blockSteps ? rowPanels * columnPanels : 1;  // sums of several blocks are kept
  std::byte* memory = scratch.get<std::byte>(packedBytes + tiles * TILE * sizeof(float));
  Number* packed = reinterpret_cast<Number*>(memory);
  float* sums = reinterpret_cast<float*>(memory + packedBytes);

  for (long first = 0; first < allSteps; first += blockSteps) {
    const long count = std::min(blockSteps, allSteps - first);
    const bool last = first + count == allSteps;
    const long inner = std::min(count * G, size.inner - first * G);
    const long panelNumbers = count * ROWS * G;
    const auto panelOf = [&](long i) -> LeftPanel<Number> {
      const View<Left> from = left.from(firstRow + i * ROWS, first * G);
      if constexpr (std::is_same<Number, Left>::value) {
        if (ready && rows - i * ROWS >= ROWS) return {from.data, from.rowStride, G};
      }
      return packedLeft(packed + i * panelNumbers);
    };
    // Some inner indices of all panels after another: where rows follow one another in memory, panels share cache
    // lines.
    for (long begin = 0; begin < inner; begin += PACKED_AT_ONCE) {
      const long end = std::min(inner, begin + PACKED_AT_ONCE);
      if (left.rowStride == 1) {  // rows far apart, which no processor foresees
        for (long k = end; k < std::min(inner, end + PACKED_AT_ONCE); k++) {
          const Left* next = left.from(firstRow, first * G + k).data;
          for (long r = 0; r < rows; r += 64 / sizeof(Left)) __builtin_prefetch(next + r);
        }
      }
      for (long i = ready ? rows / ROWS : 0; i < rowPanels; i++) {
        packPanel<ROWS>(left.from(firstRow + i * ROWS, first * G + begin), std::min(ROWS, rows - i * ROWS), end - begin,
                        packed + i * panelNumbers + begin * ROWS);
      }
    }
    for (long j = 0; j < columnPanels; j++) {
      const Number* rightPanel = right + ((firstPanel + j) * allSteps + first) * COLUMNS * G;
      const long column = (firstPanel + j) * COLUMNS;
      const long columns = std::min(COLUMNS, size.columns - column);
      for (long i = 0; i < rowPanels; i++) {
        float* tile = tiles == 1 ? sums : sums + (j * rowPanels + i) * TILE;
        multiply(panelOf(i), rightPanel, count, tile, COLUMNS, first > 0);
        if (!last) continue;
        const TilePlace place{firstRow + i * ROWS, column, std::min(ROWS, rows - i * ROWS), columns, size.columns};
        if (place.rows == ROWS && columns == COLUMNS) {
          finishTile<true>(finish, tile, place);
        } else {
          finishTile<false>(finish, tile, place);
        }
      }
    }
  }
}

template <class Number, class Left, class Out>
void multiplyAll(View<Left> left, const Number* right, const Finish<Out>& finish, Size size, Pool& pool) {
  const long rowPanels = panels(size.rows, ROWS);
  const long columnPanels = panels(size.columns, COLUMNS);
  // Enough tasks for all threads, and of one size: shorter blocks of rows, then of columns. No result depends on where
  // the cuts are.
  const TaskSize most = liesReady<Number>(left, size.inner) ? READY : PACKED;
  const long threads = pool.threads();
  const long wanted = 3 * threads;
  long rowBlocks = std::max(panels(rowPanels, most.rowPanels), std::min(wanted, panels(rowPanels, 4)));
  if (rowBlocks > threads) rowBlocks = panels(rowBlocks, threads) * threads;
  const long columnBlocks =
      std::max(panels(columnPanels, most.columnPanels), std::min(columnPanels, panels(wanted, rowBlocks)));
  pool.parallel(rowBlocks * columnBlocks, [&](long task, Scratch& scratch) {
    const auto cut = [](long count, long block, long blocks) { return count * block / blocks; };
    const long rowBlock = task / columnBlocks;
    const long columnBlock = task % columnBlocks;
    const long row = cut(rowPanels, rowBlock, rowBlocks) * ROWS;
    const long lastRow = std::min(cut(rowPanels, rowBlock + 1, rowBlocks) * ROWS, size.rows);
    multiplyBlock(left, right, finish, size, row, lastRow - row, cut(columnPanels, columnBlock, columnBlocks),
                  cut(columnPanels, columnBlock + 1, columnBlocks), scratch);
  });
}

}  // namespace

/**
 * Packs the right side of products: number type, source, its type, whether it is stored transposed [columns, inner],
 * inner, columns, target.
 */
void packRight(Arguments& a, Pool& pool) {
  const Type number = static_cast<Type>(a.size());
  const void* source = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const bool transposed = a.size();
  const long inner = a.size();
  const long columns = a.size();
  void* target = a.place<void>();
  withProductType(number, [&](auto zero) {
    withType(type, [&](auto from) {
      using Number = decltype(zero);
      using From = decltype(from);
      const From* data = static_cast<const From*>(source);
      const View<From> view = transposed ? View<From>{data, inner, 1} : View<From>{data, 1, columns};
      const long panelNumbers = steps<Number>(inner) * COLUMNS * GROUP<Number>;
      pool.parallel(panels(columns, COLUMNS), [&](long panel, Scratch&) {
        const long column = panel * COLUMNS;
        packPanel<COLUMNS>(view.from(column, 0), std::min(COLUMNS, columns - column), inner,
                           static_cast<Number*>(target) + panel * panelNumbers);
      });
    });
  });
}

/**
 * out = finish(left · right): number type, left, its type, whether it is stored transposed [inner, rows], packed right,
 * rows, columns, inner, out, its type, bias, addend, before, slopeAt, activation, and a dropout's seed, site and rate.
 */
void product(Arguments& a, Pool& pool) {
  const Type number = static_cast<Type>(a.size());
  const void* left = a.place<void>();
  const Type leftType = static_cast<Type>(a.size());
  const bool transposed = a.size();
  const void* right = a.place<void>();
  const long rows = a.size();
  const long columns = a.size();
  const long inner = a.size();
  void* out = a.place<void>();
  const Type outType = static_cast<Type>(a.size());
  const float* bias = a.place<float>();
  const void* addend = a.place<void>();
  void* before = a.place<void>();
  const void* slopeAt = a.place<void>();
  const Activation activation = static_cast<Activation>(a.size());
  const Dropout dropout(a);
  withProductType(number, [&](auto zero) {
    withType(leftType, [&](auto from) {
      withType(outType, [&](auto to) {
        using Number = decltype(zero);
        using Left = decltype(from);
        using Out = decltype(to);
        const Left* data = static_cast<const Left*>(left);
        const View<Left> view = transposed ? View<Left>{data, 1, rows} : View<Left>{data, inner, 1};
        const Finish<Out> finish{bias,
                                 static_cast<Out*>(before),
                                 static_cast<const Out*>(slopeAt),
                                 activation,
                                 dropout,
                                 static_cast<const Out*>(addend),
                                 static_cast<Out*>(out)};
        multiplyAll(view, static_cast<const Number*>(right), finish, {rows, columns, inner}, pool);
      });
    });
  });
}

}  // namespace CLOZE_ISA
}  // namespace cloze
