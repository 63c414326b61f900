{
  "variables": {
    # One library an instruction set, of the same sources in a namespace of its own; native/program.cc chooses among them.
    "kernels": [
      "native/kernels/attention.cc",
      "native/kernels/layer-norm.cc",
      "native/kernels/loss.cc",
      "native/kernels/optimizer.cc",
      "native/kernels/pointwise.cc",
      "native/kernels/product.cc",
      "native/kernels/quantized-product.cc",
      "native/kernels/rows.cc",
      "native/kernels/set.cc",
    ],
    "x64_libraries": ["avx2", "avx512", "avx512bf16"],
    # What program.cc asks the processor for, no more.
    "avx512": ["-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
  },
  "target_defaults": {
    "cflags!": ["-O2"],
    # Loops over floats become vector code: no errno, no traps, sums only where a pragma says so.
    "cflags": ["-O3", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra"],
    "cflags_cc": ["-std=gnu++17"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "gnu++17",
      "GCC_OPTIMIZATION_LEVEL": "3",
      "OTHER_CFLAGS": ["-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math"],
    },
    # Node's own settings for macOS, which say no, come after those above and before these.
    "target_conditions": [["OS=='mac'", {"xcode_settings": {"GCC_ENABLE_CPP_EXCEPTIONS": "YES"}}]],
  },
  "targets": [
    {
      "target_name": "portable",
      "type": "static_library",
      "sources": ["<@(kernels)"],
      "defines": ["CLOZE_ISA=portable"],
    },
    {
      "target_name": "cloze",
      "sources": ["native/addon.cc", "native/pool.cc", "native/program.cc"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # The last: a run may end after the thread that asked for it, and then has nobody to throw to.
      "defines": ["NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NAPI_VERSION=8", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "dependencies": ["portable"],
      "conditions": [["target_arch=='x64'", {"dependencies": ["<@(x64_libraries)"]}]],
    },
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "avx2",
          "type": "static_library",
          "sources": ["<@(kernels)"],
          "defines": ["CLOZE_ISA=avx2"],
          "cflags": ["-mavx2", "-mfma"],
          "xcode_settings": {"OTHER_CFLAGS": ["-mavx2", "-mfma"]},
        },
        {
          "target_name": "avx512",
          "type": "static_library",
          "sources": ["<@(kernels)"],
          "defines": ["CLOZE_ISA=avx512"],
          "cflags": ["<@(avx512)", "-mprefer-vector-width=512"],
          "xcode_settings": {"OTHER_CFLAGS": ["<@(avx512)"]},
        },
        {
          "target_name": "avx512bf16",
          "type": "static_library",
          "sources": ["<@(kernels)"],
          "defines": ["CLOZE_ISA=avx512bf16"],
          "cflags": ["<@(avx512)", "-mavx512bf16", "-mprefer-vector-width=512"],
          "xcode_settings": {"OTHER_CFLAGS": ["<@(avx512)", "-mavx512bf16"]},
        },
      ],
    }],
  ],
}
