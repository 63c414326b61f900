// Activations and their slopes, as plain loops can use them: without branches, so that they become vector code.
#pragma once
#include <cmath>
#include <cstdint>

namespace cloze {
namespace CLOZE_ISA {

/** As the graph's `ActivationKind`, in the order in which the plan numbers them; 0 is none. */
enum class Activation { none, gelu, geluNew, relu, silu, tanh };

/** e^x to 1e-7, of x from -87 to 88: what lies beyond counts as these, so nothing is 0 or infinite. A NaN stays one. */
inline float exponential(float x) {
  x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
  const float n = __builtin_rintf(x * 1.44269504f);
  // x - n ln 2, with ln 2 in two parts: |r| <= 0.35, where seven terms of the series are enough.
  const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const float exponent = n > -126.0f ? n : -126.0f;  // what it is at least, and where n is NaN, which is no integer
  return p * __builtin_bit_cast(float, (static_cast<int32_t>(exponent) + 127) << 23);
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

/** Near 0, where 2 σ(2x) - 1 cancels, the series. */
inline float hyperbolicTangent(float x) {
  const float square = x * x;
  const float near = x * (1.0f + square * (-1.0f / 3 + square * (2.0f / 15 + square * (-17.0f / 315))));
  const float far = 2.0f * sigmoid(2.0f * x) - 1.0f;
  return square < 0.04f ? near : far;
}

/** Φ(x), the normal distribution, to 2e-7: 1 - φ(x) P(1 / (1 + x p)) (Abramowitz and Stegun 1964, 7.1.26, for erf). */
inline float normalDistribution(float x, float density) {
  const float t = 1.0f / (1.0f + 0.3275911f * 0.70710678f * std::fabs(x));
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const float upper = 0.5f * p * t * density;
  return x < 0 ? upper : 1.0f - upper;
}

/** e^(-x²/2), φ(x) but for its constant. */
inline float bell(float x) { return exponential(-0.5f * x * x); }

inline float gelu(float x) { return x * normalDistribution(x, bell(x)); }

inline float geluSlope(float x) {
  const float density = bell(x);
  return normalDistribution(x, density) + x * density * 0.39894228f;
}

constexpr float GELU_NEW_SCALE = 0.79788456f;  // sqrt(2 / π)
constexpr float GELU_NEW_CUBIC = 0.044715f;

/** The tanh form: x σ(2 sqrt(2/π) (x + 0.044715 x³)). */
inline float geluNew(float x) { return x * sigmoid(2.0f * GELU_NEW_SCALE * (x + GELU_NEW_CUBIC * x * x * x)); }

inline float geluNewSlope(float x) {
  const float s = sigmoid(2.0f * GELU_NEW_SCALE * (x + GELU_NEW_CUBIC * x * x * x));
  return s + 2.0f * x * s * (1.0f - s) * GELU_NEW_SCALE * (1.0f + 3.0f * GELU_NEW_CUBIC * x * x);
}

inline float siluSlope(float x) {
  const float s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

inline float tanhSlope(float x) {
  const float y = hyperbolicTangent(x);
  return 1.0f - y * y;
}

/** Calls body(value, slope) with an activation's functions, so that the body's loop is compiled for each of them. */
template <class Body>
inline void withActivation(Activation kind, Body body) {
  switch (kind) {
    case Activation::none:
      return body([](float x) { return x; }, [](float) { return 1.0f; });
    case Activation::gelu:
      return body([](float x) { return gelu(x); }, [](float x) { return geluSlope(x); });
    case Activation::geluNew:
      return body([](float x) { return geluNew(x); }, [](float x) { return geluNewSlope(x); });
    case Activation::relu:
      return body([](float x) { return x < 0 ? 0.0f : x; }, [](float x) { return x > 0 ? 1.0f : 0.0f; });  // keeps NaN
    case Activation::silu:
      return body([](float x) { return x * sigmoid(x); }, [](float x) { return siluSlope(x); });
    case Activation::tanh:
      return body([](float x) { return hyperbolicTangent(x); }, [](float x) { return tanhSlope(x); });
  }
}

}  // namespace CLOZE_ISA
}  // namespace cloze
