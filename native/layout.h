// Sizes that whoever makes room for the kernels' results must know: src/executors/native/layout.ts has the same, and a
// test compares them with what the addon exports.
#pragma once

namespace cloze {

/** Where two threads write neighbouring places, these do not share one. */
constexpr long CACHE_LINE = 64;

/** Numbers of a long loop's task: enough to be worth a thread, few enough for its cache. Sums have a part for each. */
constexpr long CHUNK = 8192;
/** Rows whose sums a task takes. The blocks are the same on any number of threads, and so are the sums. */
constexpr long ROW_BLOCK = 64;

/** Floats of what a softmax is made with, and of what a row's loss follows from. */
constexpr long NORMALISER_FLOATS = 2;
constexpr long ROW_SUMS_FLOATS = 3;

/** Inner indices that one step of a panel takes. */
constexpr long BFLOAT16_GROUP = 2;
constexpr long INT8_GROUP = 4;

/** Quantized left sides have room for a multiple of so many rows; what lies in the rest of it is read for nothing. */
constexpr long QUANTIZED_ROWS = 12;
/** Bytes of what makes numbers of the integers of a row on the left, or of a column on the right. */
constexpr long QUANTIZED_CODE = 8;

}  // namespace cloze
