import { constants } from "node:buffer";
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { hasAddon, hasPrebuilt, loadAddon, mapFile } from "./addon.node.ts";

/** The folder of a package with one damaged binary for a platform. */
function packageWith(platform: string, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "cloze-addon-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "prebuilds", platform), { recursive: true });
  writeFileSync(join(folder, "prebuilds", platform, name), "no binary");
  return folder;
}

const load = async (folder: string) => loadAddon(folder);
const HERE = `${process.platform}-${process.arch}`;
const OTHER_LIBC = existsSync("/etc/alpine-release") ? "glibc" : "musl"; // as node-gyp-build tells them apart

test.each([
  ["another platform", "plan9-pdp11", "cloze.napi.node"],
  ["another C library", HERE, `cloze.napi.${OTHER_LIBC}.node`],
  ["another Node", HERE, "cloze.abi1.node"],
])("kernels for %s are none", async (_, platform, name) => {
  const folder = packageWith(platform, name);
  expect(hasAddon(folder)).toBe(false);
  expect(hasPrebuilt(folder)).toBe(platform === HERE);
  const parts = [
    "there are no native kernels",
    `got none for platform=${process.platform}`,
    "npm run install",
    '"onnx"',
  ];
  await expectError(load(folder), "DEVICE_UNAVAILABLE", ...parts);
});

test("kernels that were put aside, or in no folder, are none that came along", () => {
  expect(hasPrebuilt(packageWith(HERE, "cloze.napi.node.unusable"))).toBe(false);
  expect(hasPrebuilt(join(packageWith(HERE, "cloze.napi.node"), "elsewhere"))).toBe(false);
});

test("kernels that do not load are said to be there, and what is wrong with them", async () => {
  const folder = packageWith(HERE, "cloze.napi.node");
  expect(hasAddon(folder)).toBe(true);
  await expectError(
    load(folder),
    "DEVICE_UNAVAILABLE",
    "the native kernels do not load",
    "cloze.napi.node",
    "npm run install",
  );
});

test("prebuilt kernels for a later Node-API are refused by their name, before they could end Node", async () => {
  const folder = packageWith(HERE, "cloze.napi.api99.node");
  const parts = [
    "the native kernels do not load",
    "cloze.napi.api99.node for Node-API 99, where Node",
    "npm run install",
  ];
  await expectError(load(folder), "DEVICE_UNAVAILABLE", ...parts);
});

test("a file that is too long for Node's buffers is refused, and mapped where it is not", async ({ skip }) => {
  if (!hasAddon()) skip("the native kernels were not built");
  const path = join(packageWith(HERE, "weights"), "prebuilds", HERE, "weights");
  const bytes = 2 ** 32 + 1;
  truncateSync(path, bytes); // all but its first bytes is a hole
  const map = async () => mapFile(path);
  if (bytes > constants.MAX_LENGTH) await expectError(map(), "OUT_OF_MEMORY", String(bytes), "Node 22");
  else expect((await map()).byteLength).toBe(bytes);
});
