// A program is a flat list of numbers: calls of kernels, each with its arguments, over numbered memories.
//
//     call     = kernel, count, argument × count
//     argument = a number, or for a place in memory two: which memory (-1: none) and the offset there, in bytes
#pragma once
#include <atomic>
#include <cstddef>
#include <vector>

#include "pool.h"

namespace cloze {

/** The memories of a run, in the order in which its program numbers them. */
using Memories = std::vector<std::byte*>;

/**
 * The arguments of one call, read one after another in the order in which the kernel names them. To read more than
 * there are throws std::logic_error.
 */
class Arguments {
 public:
  /** Those from `next` to `end`, of a call of the kernel of this name. */
  Arguments(const char* kernel, const double* next, const double* end, const Memories& memories)
      : kernel_(kernel), next_(next), end_(end), memories_(memories) {}

  long size();
  float real();
  double number();

  /** A place in memory; null where the call leaves it out. */
  template <class T>
  T* place() {
    return static_cast<T*>(address());
  }

  /** Throws std::logic_error where the kernel has left some. */
  void requireEnd() const;

 private:
  void* address();

  const char* kernel_;
  const double* next_;
  const double* end_;
  const Memories& memories_;
};

using Kernel = void (*)(Arguments& arguments, Pool& pool);

struct NamedKernel {
  const char* name;
  Kernel kernel;
};

/** What one instruction set offers. */
struct InstructionSet {
  const char* name;
  /** Products of bfloat16 numbers, not merely their storage. */
  bool bfloat16;
  /** Kernels for products of 8-bit integers, which need AVX512-VNNI besides. */
  bool int8;
  /** Columns of a panel that right sides of products are packed into. */
  int panelColumns;
  const NamedKernel* kernels;
  size_t kernelCount;
};

/** The instruction sets that this processor has, the best one first. */
const std::vector<const InstructionSet*>& instructionSets();

/** Whether this processor computes products of 8-bit integers with the set. */
bool multipliesInt8(const InstructionSet& set);

/** A program that is to run, and what it may touch. */
struct Program {
  const double* numbers;
  size_t length;
  Memories memories;
  /** Where the seconds of each call go, one after another; may be null. */
  double* seconds;
};

/**
 * Runs a program; between two calls it stops if it is cancelled. Throws std::logic_error for what is no program of the
 * set's kernels, and std::bad_alloc.
 */
void run(const InstructionSet& set, const Program& program, Pool& pool, const std::atomic<bool>& cancelled);

}  // namespace cloze
