// Random numbers that are a function of a place: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy
// as 1, 2, 3"). A key, here a run's seed and a dropout's site, and a counter give four words; nothing is kept between
// calls.
#pragma once
#include <cstdint>

#include "../program.h"
#include "../rounding.h"

namespace cloze {
namespace CLOZE_ISA {

/** Positions that one counter serves: eight halves of four words. */
constexpr long PHILOX_POSITIONS = 8;
constexpr long PHILOX_WORDS = 4;

/** The four words of counter `block`. */
inline void philox(uint32_t seed, uint32_t site, uint64_t block, uint32_t* words) {
  uint32_t c0 = static_cast<uint32_t>(block), c1 = static_cast<uint32_t>(block >> 32), c2 = 0, c3 = 0;
  uint32_t k0 = seed, k1 = site;
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c0;
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/** The dropout of one site of a run's graph. */
struct Dropout {
  uint32_t seed;
  uint32_t site;
  double rate;

  /** Reads seed, site and rate. */
  explicit Dropout(Arguments& a)
      : seed(static_cast<uint32_t>(a.number())), site(static_cast<uint32_t>(a.number())), rate(a.number()) {}

  /** Writes the factors of positions begin to end, 0 or 1 / (1 - rate). */
  void factors(long begin, long end, float* to) const {
    constexpr long BATCH = 64;  // counters at once, so that their loop becomes vector code
    uint32_t words[BATCH * PHILOX_WORDS];
    for (long at = begin; at < end;) {
      const long block = at / PHILOX_POSITIONS;
      const long skip = at - block * PHILOX_POSITIONS;
      const long left = end - at + skip;
      const long blocks = left < BATCH * PHILOX_POSITIONS ? ceilDiv(left, PHILOX_POSITIONS) : BATCH;
      for (long i = 0; i < blocks; i++) philox(seed, site, block + i, words + i * PHILOX_WORDS);
      const long count = (left < blocks * PHILOX_POSITIONS ? left : blocks * PHILOX_POSITIONS) - skip;
      choose(words, skip, count, to);
      to += count;
      at += count;
    }
  }

  /**
   * The same for a tile of a matrix whose rows are `stride` positions long; `begin`, its first one, and `stride` are
   * multiples of what a counter serves.
   */
  template <long ROWS, long COLUMNS>
  void tileFactors(long begin, long stride, float* to) const {
    constexpr long ACROSS = COLUMNS / PHILOX_POSITIONS;
    uint32_t words[ROWS * COLUMNS / 2];
    const long block = begin / PHILOX_POSITIONS;
    const long below = stride / PHILOX_POSITIONS;
    for (long i = 0; i < ROWS * ACROSS; i++) {
      philox(seed, site, block + i / ACROSS * below + i % ACROSS, words + i * PHILOX_WORDS);
    }
    choose(words, 0, ROWS * COLUMNS, to);
  }

 private:
  /** The factors by the halves of words from the one numbered `first` on, the low half of each word before the high. */
  void choose(const uint32_t* words, long first, long count, float* to) const {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    typedef uint16_t __attribute__((may_alias)) Half;
    const Half* halves = reinterpret_cast<const Half*>(words) + first;
    const uint16_t threshold = static_cast<uint16_t>(rate < 1.0 - 0x1p-17 ? rate * 65536.0 + 0.5 : 65535.0);
    const float kept = static_cast<float>(1.0 / (1.0 - rate));
    for (long i = 0; i < count; i++) to[i] = halves[i] < threshold ? 0.0f : kept;
  }
};

}  // namespace CLOZE_ISA
}  // namespace cloze
