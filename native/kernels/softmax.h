// What softmax and its gradient share, wherever the probabilities are needed.
#pragma once
#include <cmath>

#include "../layout.h"
#include "activation.h"

namespace cloze {
namespace CLOZE_ISA {

/** What a row's probabilities are made with: e^((x - highest) × scale) × share. */
struct Normaliser {
  float highest;
  float share;

  float probability(float x, float scale = 1.0f) const { return exponential((x - highest) * scale) * share; }
  /** -log of the probability, at scale 1. */
  float surprise(float x) const { return highest - x - std::log(share); }
};
static_assert(sizeof(Normaliser) == NORMALISER_FLOATS * sizeof(float));

inline float highestOf(const float* x, long count) {
  float highest = x[0];
#pragma omp simd reduction(max : highest)
  for (long i = 0; i < count; i++) highest = x[i] > highest ? x[i] : highest;
  return highest;
}

}  // namespace CLOZE_ISA
}  // namespace cloze
