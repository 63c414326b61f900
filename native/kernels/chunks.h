// Long loops over numbers, cut into tasks.
#pragma once
#include <algorithm>

#include "../layout.h"
#include "../pool.h"
#include "../rounding.h"

namespace cloze {
namespace CLOZE_ISA {

/** Calls body(begin, end) for all of 0 to count, in chunks. */
template <class Body>
inline void forChunks(long count, Pool& pool, Body body) {
  pool.parallel(ceilDiv(count, CHUNK),
                [&](long task, Scratch&) { body(task * CHUNK, std::min(count, (task + 1) * CHUNK)); });
}

/** Calls body(row) for each row, several of them a task if they are short. */
template <class Body>
inline void forRows(long rows, long columns, Pool& pool, Body body) {
  const long block = std::max(1L, CHUNK / std::max(1L, columns));
  pool.parallel(ceilDiv(rows, block), [&](long task, Scratch&) {
    for (long row = task * block; row < std::min(rows, (task + 1) * block); row++) body(row);
  });
}

}  // namespace CLOZE_ISA
}  // namespace cloze
