// The two kinds of numbers that kernels read and write; all arithmetic between them is in float.
#pragma once
#include <cstdint>
#include <type_traits>

namespace cloze {
namespace CLOZE_ISA {

/** The upper half of a float: its sign, its exponent and 7 bits of its fraction. */
struct BFloat16 {
  uint16_t bits;
};

inline float toFloat(float x) { return x; }

inline float toFloat(BFloat16 x) { return __builtin_bit_cast(float, uint32_t{x.bits} << 16); }

template <class T>
inline T fromFloat(float x);

template <>
inline float fromFloat<float>(float x) {
  return x;
}

/** Rounds to the nearest, ties to even. A NaN stays one. */
template <>
inline BFloat16 fromFloat<BFloat16>(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  return {static_cast<uint16_t>((x == x ? rounded : bits | 0x400000) >> 16)};
}

/** A number of one kind as the nearest of another. */
template <class To, class From>
inline To convertTo(From x) {
  if constexpr (std::is_same<To, From>::value) {
    return x;
  } else {
    return fromFloat<To>(toFloat(x));
  }
}

/** How a program names them. */
enum class Type { float32, bfloat16 };

/** Calls body with a value of the type, so that it is compiled for both. */
template <class Body>
inline void withType(Type type, Body body) {
  if (type == Type::float32) return body(float{});
  body(BFloat16{});
}

}  // namespace CLOZE_ISA
}  // namespace cloze
