// What this folder offers when it is compiled for one instruction set.
#include "kernels.h"
#include "tile.h"

#define TEXT(name) #name
#define TEXT_OF(macro) TEXT(macro)
#define ROW(name) {#name, name},

namespace cloze {
namespace CLOZE_ISA {

namespace {
constexpr NamedKernel KERNELS[] = {CLOZE_KERNELS(ROW) CLOZE_INT8_KERNELS(ROW)};
}

const InstructionSet SET = {
    TEXT_OF(CLOZE_ISA),
#if defined(__AVX512BF16__)
    true,
#else
    false,
#endif
#if defined(__AVX512F__)
    true,
#else
    false,
#endif
    COLUMNS,
    KERNELS,
    sizeof KERNELS / sizeof *KERNELS,
};

}  // namespace CLOZE_ISA
}  // namespace cloze
