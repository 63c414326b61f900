# Sourced by .ci/run: names a Vulkan driver in software for the webgpu tests, and prints one line on what it found.
# Debian's chromium package brings SwiftShader; its own Mesa is too old. Without a driver the tests skip and say so.

cloze_icd=/usr/lib/chromium/vk_swiftshader_icd.json

if [ -z "${VK_ICD_FILENAMES:-}" ] && [ ! -f "$cloze_icd" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { timeout 300 apt-get update && timeout 300 apt-get install -y --no-install-recommends chromium libvulkan1; } \
    >/dev/null 2>&1 </dev/null || true
fi

if [ -n "${VK_ICD_FILENAMES:-}" ]; then
  echo "webgpu: the Vulkan driver that VK_ICD_FILENAMES names, $VK_ICD_FILENAMES"
elif [ -f "$cloze_icd" ]; then
  export VK_ICD_FILENAMES="$cloze_icd"
  echo "webgpu: SwiftShader, $VK_ICD_FILENAMES"
else
  echo "webgpu: no Vulkan driver in software; \"apt-get install chromium libvulkan1\" would bring one"
fi
unset cloze_icd
