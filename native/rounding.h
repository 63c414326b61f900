// Division and multiples, rounded up.
#pragma once

namespace cloze {

// Internal to each file, so that none has code of another's instruction set.

static constexpr long ceilDiv(long count, long size) { return (count + size - 1) / size; }

/** The lowest multiple of `size` that is no less than `count`. */
static constexpr long roundUp(long count, long size) { return ceilDiv(count, size) * size; }

}  // namespace cloze
