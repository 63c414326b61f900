// The kernels that programs call, one a line, in the order of their numbers. Every source file of this folder is
// compiled once for each instruction set, in the namespace of its name.
#pragma once
#include "../program.h"

// clang-format off
#define CLOZE_KERNELS(kernel)         \
  kernel(positions)                   \
  kernel(starts)                      \
  kernel(convert)                     \
  kernel(fill)                        \
  kernel(gather)                      \
  kernel(scatterAdd)                  \
  kernel(packRight)                   \
  kernel(product)                     \
  kernel(add)                         \
  kernel(activation)                  \
  kernel(activationGradient)          \
  kernel(dropout)                     \
  kernel(sumRows)                     \
  kernel(layerNorm)                   \
  kernel(layerNormGradient)           \
  kernel(attention)                   \
  kernel(attentionGradient)           \
  kernel(softmaxSums)                 \
  kernel(softmaxCrossEntropy)         \
  kernel(softmaxCrossEntropyGradient) \
  kernel(accuracy)                    \
  kernel(segmentCrossEntropy)         \
  kernel(segmentCrossEntropyGradient) \
  kernel(sigmoidCrossEntropy)         \
  kernel(sigmoidCrossEntropyGradient) \
  kernel(squaredError)                \
  kernel(squaredErrorGradient)        \
  kernel(adamw)                       \
  kernel(measureChanges)              \
  kernel(applyChanges)                \
  kernel(sumOfSquares)
// clang-format on

// Behind the others, so that these have the same numbers in all instruction sets.
#if defined(__AVX512F__)
#define CLOZE_INT8_KERNELS(kernel) kernel(quantizeRows) kernel(packQuantized) kernel(quantizedProduct)
#else
#define CLOZE_INT8_KERNELS(kernel)
#endif

namespace cloze {
namespace CLOZE_ISA {

#define DECLARE(name) void name(Arguments& arguments, Pool& pool);
CLOZE_KERNELS(DECLARE)
CLOZE_INT8_KERNELS(DECLARE)
#undef DECLARE

extern const InstructionSet SET;

}  // namespace CLOZE_ISA
}  // namespace cloze
