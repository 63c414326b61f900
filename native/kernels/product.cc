// Matrix products of floats: both factors packed, or the left one read as it lies.
#include "product.h"

#include <algorithm>
#include <type_traits>

#include "kernels.h"

namespace cloze {
namespace CLOZE_ISA {
namespace {

/** Steps of inner indices whose panels stay in a core's caches: of floats in the first one, of pairs in the second. */
template <class Number>
constexpr long STEPS = 256;
template <>
[[maybe_unused]] constexpr long STEPS<BFloat16> = 512;
/** Inner indices of a left panel that are packed before those of the next one: a whole number of steps. */
constexpr long PACKED_AT_ONCE = 16;

/**
 * Packs the panels of `rows` rows of the left side, from the one numbered `firstPanel` on. Some inner indices of all
 * panels after another: where rows follow one another in memory, panels share cache lines.
 */
template <class Number, class Left>
void packLeft(View<Left> left, long rows, long inner, long firstPanel, Number* packed) {
  const long panelNumbers = steps<Number>(inner) * ROWS * GROUP<Number>;
  for (long begin = 0; begin < inner; begin += PACKED_AT_ONCE) {
    const long end = std::min(inner, begin + PACKED_AT_ONCE);
    if (left.rowStride == 1) {  // rows far apart, which no processor foresees
      for (long k = end; k < std::min(inner, end + PACKED_AT_ONCE); k++) {
        const Left* next = left.from(0, k).data;
        for (long r = 0; r < rows; r += 64 / sizeof(Left)) __builtin_prefetch(next + r);
      }
    }
    for (long i = firstPanel; i < ceilDiv(rows, ROWS); i++) {
      packPanel<ROWS>(left.from(i * ROWS, begin), std::min(ROWS, rows - i * ROWS), end - begin,
                      packed + i * panelNumbers + begin * ROWS);
    }
  }
}

/** One task of a product. */
template <class Number, class Left, class Out>
void multiplyBlock(View<Left> left, const Number* right, const Finish<Out>& finish, Size size, const Block& block,
                   Scratch& scratch) {
  constexpr long G = GROUP<Number>;
  const long allSteps = steps<Number>(size.inner);
  const long rows = block.rows;
  const long rowPanels = ceilDiv(rows, ROWS);
  const long blockSteps = std::min(allSteps, STEPS<Number>);
  const bool ready = liesReady<Number>(left, size.inner);
  const long tiles = allSteps > blockSteps ? rowPanels * block.panels : 1;  // sums of several blocks are kept
  Number* packed = scratch.array<Number>(rowPanels * ROWS * blockSteps * G);
  float* sums = scratch.array<float>(tiles * TILE);

  for (long first = 0; first < allSteps; first += blockSteps) {
    const long count = std::min(blockSteps, allSteps - first);
    const bool last = first + count == allSteps;
    const long inner = std::min(count * G, size.inner - first * G);
    const long panelNumbers = count * ROWS * G;
    const View<Left> source = left.from(block.firstRow, first * G);
    packLeft(source, rows, inner, ready ? rows / ROWS : 0, packed);
    const auto panelOf = [&](long i) -> LeftPanel<Number> {
      if constexpr (std::is_same<Number, Left>::value) {
        if (ready && rows - i * ROWS >= ROWS) return {source.from(i * ROWS, 0).data, source.rowStride, G};
      }
      return packedLeft(packed + i * panelNumbers);
    };
    for (long j = 0; j < block.panels; j++) {
      const Number* rightPanel = right + ((block.firstPanel + j) * allSteps + first) * COLUMNS * G;
      const long column = (block.firstPanel + j) * COLUMNS;
      const long columns = std::min(COLUMNS, size.columns - column);
      for (long i = 0; i < rowPanels; i++) {
        float* tile = tiles == 1 ? sums : sums + (j * rowPanels + i) * TILE;
        multiply(panelOf(i), rightPanel, count, tile, COLUMNS, first > 0, allSteps * COLUMNS * G);
        if (!last) continue;
        const TilePlace place{block.firstRow + i * ROWS, column, std::min(ROWS, rows - i * ROWS), columns,
                              size.columns};
        finishTile(finish, tile, place);
      }
    }
  }
}

template <class Number, class Left, class Out>
void multiplyAll(View<Left> left, const Number* right, const Finish<Out>& finish, Size size, Pool& pool) {
  const TaskSize most = liesReady<Number>(left, size.inner) ? READY : PACKED;
  forBlocks(size, most, pool,
            [&](const Block& block, Scratch& scratch) { multiplyBlock(left, right, finish, size, block, scratch); });
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
      pool.parallel(ceilDiv(columns, COLUMNS), [&](long panel, Scratch&) {
        const long column = panel * COLUMNS;
        packPanel<COLUMNS>(view.from(column, 0), std::min(COLUMNS, columns - column), inner,
                           static_cast<Number*>(target) + panel * panelNumbers);
      });
    });
  });
}

/**
 * out = finish(left · right): number type, left, its type, whether it is stored transposed [inner, rows], packed right,
 * rows, columns, inner, and what `withFinish` reads.
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
  withFinish(a, [&](const auto& finish) {
    withProductType(number, [&](auto zero) {
      withType(leftType, [&](auto from) {
        using Number = decltype(zero);
        using Left = decltype(from);
        const Left* data = static_cast<const Left*>(left);
        const View<Left> view = transposed ? View<Left>{data, 1, rows} : View<Left>{data, inner, 1};
        multiplyAll(view, static_cast<const Number*>(right), finish, {rows, columns, inner}, pool);
      });
    });
  });
}

}  // namespace CLOZE_ISA
}  // namespace cloze
