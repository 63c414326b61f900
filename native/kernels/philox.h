// Random numbers that are a function of a place: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy
// as 1, 2, 3"). A key, here a run's seed and a dropout's site, and a counter give four words; nothing is kept between
// calls.
#pragma once
#include <cstdint>

#include "../program.h"

namespace cloze {

/** Positions that one counter serves: eight halves of four words. */
constexpr long PHILOX_POSITIONS = 8;

/** The eight halves of counter `block`, the low half of each word first. */
inline void philox(uint32_t seed, uint32_t site, uint64_t block, uint16_t* halves) {
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
  const uint32_t words[] = {c0, c1, c2, c3};
  for (int i = 0; i < 4; i++) {
    halves[2 * i] = static_cast<uint16_t>(words[i]);
    halves[2 * i + 1] = static_cast<uint16_t>(words[i] >> 16);
  }
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
    const uint16_t threshold = static_cast<uint16_t>(rate < 1.0 - 0x1p-17 ? rate * 65536.0 + 0.5 : 65535.0);
    const float kept = static_cast<float>(1.0 / (1.0 - rate));
    constexpr long BATCH = 64;  // counters at once, so that their loop becomes vector code
    uint16_t halves[BATCH * PHILOX_POSITIONS];
    for (long at = begin; at < end;) {
      const long block = at / PHILOX_POSITIONS;
      const long skip = at - block * PHILOX_POSITIONS;
      const long left = end - at + skip;
      const long blocks = left < BATCH * PHILOX_POSITIONS ? (left + PHILOX_POSITIONS - 1) / PHILOX_POSITIONS : BATCH;
      for (long i = 0; i < blocks; i++) philox(seed, site, block + i, halves + i * PHILOX_POSITIONS);
      const long count = (left < blocks * PHILOX_POSITIONS ? left : blocks * PHILOX_POSITIONS) - skip;
      for (long i = 0; i < count; i++) to[i] = halves[skip + i] < threshold ? 0.0f : kept;
      to += count;
      at += count;
    }
  }
};

}  // namespace cloze
