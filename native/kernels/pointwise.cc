// Number by number: sums, activations, dropout.
#include "activation.h"
#include "chunks.h"
#include "element.h"
#include "kernels.h"
#include "philox.h"

namespace cloze {
namespace CLOZE_ISA {

/** a, b, out, their type, count. */
void add(Arguments& arguments, Pool& pool) {
  const void* a = arguments.place<void>();
  const void* b = arguments.place<void>();
  void* out = arguments.place<void>();
  const Type type = static_cast<Type>(arguments.size());
  const long count = arguments.size();
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(a);
    const T* y = static_cast<const T*>(b);
    T* z = static_cast<T*>(out);
    forChunks(count, pool, [=](long begin, long end) {
      for (long i = begin; i < end; i++) z[i] = fromFloat<T>(toFloat(x[i]) + toFloat(y[i]));
    });
  });
}

/** x, out, their type, count, activation. */
void activation(Arguments& a, Pool& pool) {
  const void* source = a.place<void>();
  void* target = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const long count = a.size();
  const Activation kind = static_cast<Activation>(a.size());
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(source);
    T* y = static_cast<T*>(target);
    withActivation(kind, [&](auto value, auto) {
      forChunks(count, pool, [=](long begin, long end) {
        for (long i = begin; i < end; i++) y[i] = fromFloat<T>(value(toFloat(x[i])));
      });
    });
  });
}

/** dy, x, dx, their type, count, activation. */
void activationGradient(Arguments& a, Pool& pool) {
  const void* upper = a.place<void>();
  const void* source = a.place<void>();
  void* target = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const long count = a.size();
  const Activation kind = static_cast<Activation>(a.size());
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    const T* dy = static_cast<const T*>(upper);
    const T* x = static_cast<const T*>(source);
    T* dx = static_cast<T*>(target);
    withActivation(kind, [&](auto, auto slope) {
      forChunks(count, pool, [=](long begin, long end) {
        for (long i = begin; i < end; i++) dx[i] = fromFloat<T>(toFloat(dy[i]) * slope(toFloat(x[i])));
      });
    });
  });
}

/** x, out, their type, count, seed, site, rate: in both directions, for the factors are a function of the place. */
void dropout(Arguments& a, Pool& pool) {
  const void* source = a.place<void>();
  void* target = a.place<void>();
  const Type type = static_cast<Type>(a.size());
  const long count = a.size();
  const Dropout dropout(a);
  withType(type, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(source);
    T* y = static_cast<T*>(target);
    forChunks(count, pool, [=](long begin, long end) {
      float factors[512];
      for (long at = begin; at < end; at += 512) {
        const long length = std::min(512L, end - at);
        dropout.factors(at, at + length, factors);
        for (long i = 0; i < length; i++) y[at + i] = fromFloat<T>(toFloat(x[at + i]) * factors[i]);
      }
    });
  });
}

}  // namespace CLOZE_ISA
}  // namespace cloze
