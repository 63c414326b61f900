/** The package with and without its native kernels: what installing says, and what computes then. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, type TestContext, test } from "vitest";
import { hasAddon, loadAddon } from "../src/executors/native/addon.node.ts";
import { exportNative } from "../src/index.ts";
import { SHIPPED_MODEL } from "../src/tasks/folder/shipped-model.node.ts";
import { NOT_BUILT } from "./native-kernels.ts";
import { findHeaders, findNodeGyp } from "./node-gyp.ts";
import { writeTinyModel } from "./tiny-model.ts";

const ROOT = join(import.meta.dirname, "..");
const BUILT = "build/Release/cloze.node";
const PREBUILT = `prebuilds/${process.platform}-${process.arch}/cloze.napi.node`;

const SOURCES = ["binding.gyp", "native"];

/** A copy of some of the package, without binaries. */
function copyPackage(...names: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "cloze-package-"));
  onTestFinished(() => rmSync(folder, { recursive: true }), 60_000);
  const at = (name: string) => join(folder, name);
  for (const name of ["package.json", ...names]) cpSync(join(ROOT, name), at(name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), at("node_modules"), "junction");
  return {
    folder,
    at,
    write(name: string, text: string) {
      mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), text);
      return at(name);
    },
  };
}

/** Makes a binary of a few lines of C. */
function compileAddon(source: string, path: string, skip: TestContext["skip"]): void {
  mkdirSync(dirname(path), { recursive: true });
  const { error } = spawnSync("cc", ["-shared", "-fPIC", "-x", "c", "-", "-o", path], { input: source });
  if (error !== undefined) skip("no C compiler");
}

/** Runs the install script with a node-gyp that is a few lines of JavaScript. */
function install({ folder, write }: ReturnType<typeof copyPackage>, gyp: string, first: readonly string[] = []) {
  const npm_config_node_gyp = write("gyp.cjs", `const fs = require("node:fs"); fs.writeFileSync("asked", ""); ${gyp}`);
  const env = { ...process.env, npm_config_node_gyp };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...first, "native/install.mjs"], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  const asked = existsSync(join(folder, "asked"));
  if (asked) rmSync(join(folder, "asked"));
  return { status, stdout, stderr, asked };
}

/** An addon that loads and has nothing to offer. */
const LOADABLE = "void *napi_register_module_v1(void *env, void *exports) { return exports; }";

/** An addon for a Node-API that no Node has. */
const LATER =
  "int node_api_module_get_api_version_v1(void) { return 99; } void *napi_register_module_v1() { return 0; }";

const NOTHING_BUILT = "process.exit(1)";

describe("installing", () => {
  test.each([
    ["gyp ERR! stack Error: Could not find any Python installation to use", "there is no Python 3"],
    ["gyp ERR! stack Error: not found: make", "there is no make"],
    ["make: g++: No such file or directory", "there is no C++ compiler"],
    ["/bin/sh: 1: c++: not found", "there is no C++ compiler"],
    [
      "gyp ERR! stack FetchError: request to https://nodejs.org failed, reason: getaddrinfo ENOTFOUND",
      "Node's headers could not be fetched",
    ],
    ["tile.h:3:1: error: 'simd' was not declared", "the build failed (error: 'simd' was not declared)"],
    ["", "the build failed (node-gyp does not say why)"],
  ])("goes on where the build says %j", (complaint, reason) => {
    const copy = copyPackage(...SOURCES);
    const outcome = install(copy, `console.error(${JSON.stringify(complaint)}); process.exit(1)`);
    expect(outcome).toEqual({ status: 0, stdout: "", stderr: without(reason), asked: true });
    expect(readFileSync(copy.at("build/install.log"), "utf8")).toContain(complaint);
  });

  test("builds nothing on Windows, whose compiler has not what the kernels are written in", () => {
    const copy = copyPackage(...SOURCES);
    const onWindows = copy.write("windows.cjs", 'Object.defineProperty(process, "platform", { value: "win32" })');
    expect(install(copy, NOTHING_BUILT, ["--require", onWindows])).toEqual({
      status: 0,
      stdout: "",
      stderr: "cloze: the native kernels are not for Windows; ONNX Runtime computes instead, more slowly.\n",
      asked: false,
    });
  });

  test("goes on where what was built does not load", () => {
    const copy = copyPackage(...SOURCES);
    const outcome = install(
      copy,
      `fs.mkdirSync("build/Release", { recursive: true }); fs.writeFileSync("${BUILT}", "")`,
    );
    expect(outcome).toMatchObject({
      status: 0,
      stderr: expect.stringContaining(", as they were built but do not load ("),
    });
    expect(existsSync(copy.at(BUILT))).toBe(false);
  });

  test("builds where a prebuilt binary does not load, and puts it aside where it cannot", () => {
    const copy = copyPackage(...SOURCES);
    copy.write(PREBUILT, "for another machine");
    const { stderr, ...outcome } = install(copy, NOTHING_BUILT);
    const [first, ...rest] = stderr.split(/(?<=\n)/);
    expect(first).toMatch(/^cloze: the native kernels that are there do not load \(.+\), so they are built here\.\n$/);
    expect(rest).toEqual([without("the build failed (node-gyp does not say why)")]);
    expect({ ...outcome, left: existsSync(copy.at(PREBUILT)) }).toMatchObject({ status: 0, asked: true, left: false });
  });

  test("survives a prebuilt binary for a later Node-API", ({ skip }) => {
    const copy = copyPackage(...SOURCES);
    compileAddon(LATER, copy.at(PREBUILT), skip);
    const { status, stderr, asked } = install(copy, NOTHING_BUILT);
    expect({ status, asked, left: existsSync(copy.at(PREBUILT)) }).toEqual({ status: 0, asked: true, left: false });
    expect(stderr).toContain("do not load (");
  });

  test("takes a prebuilt binary that loads, and does not build again what no source outdates", ({ skip }) => {
    const copy = copyPackage(...SOURCES);
    compileAddon(LOADABLE, copy.at(PREBUILT), skip);
    const silent = { status: 0, stdout: "", stderr: "" };
    expect(install(copy, NOTHING_BUILT)).toEqual({ ...silent, asked: false });
    const succeed = `fs.mkdirSync("build/Release", { recursive: true }); fs.copyFileSync("${PREBUILT}", "${BUILT}")`;
    cpSync(copy.at(PREBUILT), copy.at(BUILT));
    expect(install(copy, succeed)).toEqual({ ...silent, asked: false });
    utimesSync(copy.at("native/kernels/tile.h"), new Date(), Date.now() / 1000 + 60);
    expect(install(copy, succeed)).toEqual({ ...silent, asked: true });
  });

  test("builds again where a source is younger than a prebuilt binary, but in a package", ({ skip }) => {
    const copy = copyPackage(...SOURCES);
    compileAddon(LOADABLE, copy.at(PREBUILT), skip);
    const inPackage = { ...copy, folder: copy.at("app/node_modules/cloze") };
    for (const name of ["package.json", "prebuilds", ...SOURCES])
      cpSync(copy.at(name), join(inPackage.folder, name), { recursive: true });
    for (const { folder } of [copy, inPackage])
      utimesSync(join(folder, "native/kernels/tile.h"), new Date(), Date.now() / 1000 + 60);
    const succeed = `fs.mkdirSync("build/Release", { recursive: true }); fs.copyFileSync("${PREBUILT}", "${BUILT}")`;
    const silent = { status: 0, stdout: "", stderr: "" };
    expect(install(copy, succeed)).toEqual({ ...silent, asked: true });
    expect(install(inPackage, succeed)).toEqual({ ...silent, asked: false });
  });

  test("builds with exceptions on macOS, and adds what an instruction set needs to what all need", ({ skip }) => {
    const headers = findHeaders();
    if (headers === undefined) skip("Node's headers are not beside it");
    if (spawnSync("python3", ["--version"]).status !== 0) skip("no Python 3, which gyp is written in");
    const copy = copyPackage(...SOURCES);
    const configure = [findNodeGyp(), "configure", `--nodedir=${headers}`, "--arch=x64"];
    const { status, stderr } = spawnSync(process.execPath, [...configure, "--", "--format=gypd", "-DOS=mac"], {
      cwd: copy.folder,
      encoding: "utf8",
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const text = readFileSync(copy.at("binding.gypd"), "utf8");
    const found = (pattern: RegExp) => Array.from(text.matchAll(pattern), ([, value]) => value);
    const builds = 2 * 5; // Debug and Release of each target
    expect(found(/'GCC_ENABLE_CPP_EXCEPTIONS': '(\w+)'/g)).toEqual(Array(builds).fill("YES"));
    const flags = found(/'OTHER_CFLAGS': \[([^\]]*)\]/g);
    const count = (flag: string) => flags.filter((list) => list.includes(`'${flag}'`)).length;
    expect(["-fopenmp-simd", "-fno-math-errno", "-mavx2", "-mavx512f", "-mavx512bf16"].map(count)).toEqual([
      builds,
      builds,
      2,
      4,
      2,
    ]);
  });
});

function without(reason: string): string {
  return (
    `cloze: installed without the native kernels, as ${reason}; ONNX Runtime computes instead, more slowly. To have them, ` +
    "install GCC 11 or clang 14, or later ones, make and Python 3, then run `npm run install`. The log is build/install.log.\n"
  );
}

describe("npm run prebuilds", () => {
  test("lays what was built where a package without build/ loads it from", ({ skip }) => {
    if (!existsSync(join(ROOT, BUILT))) skip(NOT_BUILT);
    const copy = copyPackage("dist", ...SOURCES, BUILT);
    const { status, stderr } = spawnSync(process.execPath, ["native/prebuilds.mjs"], {
      cwd: copy.folder,
      encoding: "utf8",
    });
    const name = stderr.trim();
    const libc = process.platform === "linux" ? String.raw`\.(glibc|musl)` : "";
    expect(status).toBe(0);
    expect(name).toMatch(new RegExp(String.raw`/cloze\.napi\.api\d+${libc}\.node$`));
    rmSync(copy.at("build"), { recursive: true });
    expect(install(copy, NOTHING_BUILT)).toEqual({ status: 0, stdout: "", stderr: "", asked: false });
    expect(kernelsOf(copy)).toEqual(loadAddon().kernels);
  });

  test("lays nothing, and stops no packing, where nothing was built", () => {
    const copy = copyPackage(...SOURCES);
    const { status, stdout, stderr } = spawnSync(process.execPath, ["native/prebuilds.mjs"], {
      cwd: copy.folder,
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "",
      stderr: "cloze: no native kernels were built here, so the package takes none along.\n",
    });
    expect(existsSync(copy.at("prebuilds"))).toBe(false);
  });

  test("comes before a package is packed, which takes its result along", () => {
    const { scripts, files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(scripts.prepack).toBe("npm run --silent prebuilds");
    expect(files).toContain("prebuilds");
  });
});

/** Those of the addon that a copy of the package loads, in a process of its own. */
function kernelsOf({ folder }: ReturnType<typeof copyPackage>): unknown {
  const program = `import { loadAddon } from "./dist/executors/native/addon.node.js";
    console.log(JSON.stringify(loadAddon().kernels));`;
  const args = ["--input-type=module", "--eval", program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" }));
}

function cloze({ at }: ReturnType<typeof copyPackage>, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [at("dist/cli/main.js"), ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("without kernels that load", () => {
  const predict = (copy: ReturnType<typeof copyPackage>, ...options: string[]) =>
    cloze(copy, "predict", SHIPPED_MODEL, "The [MASK] barks.", "--top-k", "3", ...options);

  test("ONNX Runtime computes, silently where there are none", () => {
    const copy = copyPackage("dist");
    const { stdout } = predict(copy, "--device", "onnx");
    expect(predict(copy)).toEqual({ status: 0, stdout, stderr: "" });
    copy.write(PREBUILT, "for another machine");
    const { stderr, ...outcome } = predict(copy);
    expect(outcome).toEqual({ status: 0, stdout });
    expect(stderr).toMatch(
      /ClozeWarning: the native kernels do not load; .* Until then ONNX Runtime computes instead\.\n/,
    );
  });

  test("a prebuilt binary for another C library, which nobody tried when installing, is told of", () => {
    const copy = copyPackage("dist");
    const { stdout } = predict(copy, "--device", "onnx");
    copy.write(PREBUILT.replace(/node$/, `${existsSync("/etc/alpine-release") ? "glibc" : "musl"}.node`), "");
    const { stderr, ...outcome } = predict(copy);
    expect(outcome).toEqual({ status: 0, stdout });
    expect(stderr).toMatch(
      /ClozeWarning: there are no native kernels; .* Until then ONNX Runtime computes instead\.\n/,
    );
  });

  test("a prebuilt binary for a later Node-API, which nobody tried when installing, ends no program", ({ skip }) => {
    const copy = copyPackage("dist");
    const { stdout } = predict(copy, "--device", "onnx");
    compileAddon(LATER, copy.at(PREBUILT.replace(/napi/, "napi.api99")), skip);
    const { stderr, ...outcome } = predict(copy);
    expect(outcome).toEqual({ status: 0, stdout });
    expect(stderr).toMatch(/ClozeWarning: the native kernels do not load; .* for Node-API 99, where Node .* computes/);
  });

  test("the package installs all the same where Node is all that is found, and predicts with its own model", () => {
    const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const packed = files.filter((name: string) => name !== "prebuilds" && !name.startsWith("!")); // those are left out
    const copy = copyPackage(...packed);
    mkdirSync(copy.at("bin"));
    symlinkSync(process.execPath, copy.at("bin/node"));
    const { status, stdout, stderr } = spawnSync("node", ["native/install.mjs"], {
      cwd: copy.folder,
      env: { PATH: copy.at("bin"), npm_config_node_gyp: findNodeGyp() }, // as npm says it
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: without("there is no Python 3") });
    const answer = cloze(copy, "predict", copy.at("models/cloze-mini-en"), "The [MASK] barks.");
    expect(answer).toEqual({ status: 0, stdout: expect.stringMatching(/"sequence":"the \w+ barks."/), stderr: "" });
  });

  test("packed weights are refused", async ({ skip }) => {
    if (!hasAddon()) skip(NOT_BUILT);
    const copy = copyPackage("dist");
    const model = await writeTinyModel(copy.at("model"));
    await exportNative(model, { output: copy.at("packed"), precision: "fp32" });
    const { stderr, ...outcome } = cloze(copy, "predict", copy.at("packed"), "good");
    expect(outcome).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^cloze: there are no native kernels; .* \[DEVICE_UNAVAILABLE\]\n$/);
  });

  test("info --system says why", () => {
    const { stdout: text } = cloze(copyPackage("dist"), "info", "--system");
    expect(text).toMatch(/^onnx +[\d.]+ +- +-$/m);
    expect(text).toMatch(
      /^no native executor: there are no native kernels; .*Install GCC 11 or clang 14, or later ones/m,
    );
    expect(text).not.toContain("instruction sets");
  });
});

describe("without ONNX Runtime", () => {
  /** A copy that resolves every other package. */
  function copyWithout() {
    const copy = copyPackage("dist", ...(hasAddon() ? [BUILT] : []));
    rmSync(copy.at("node_modules"));
    mkdirSync(copy.at("node_modules"));
    for (const name of readdirSync(join(ROOT, "node_modules"))) {
      if (name !== "onnxruntime-node")
        symlinkSync(join(ROOT, "node_modules", name), copy.at(`node_modules/${name}`), "junction");
    }
    return copy;
  }

  test("asking for it is an error, on a thread of its own too", () => {
    const copy = copyWithout();
    const { stderr, ...outcome } = cloze(copy, "predict", SHIPPED_MODEL, "The [MASK] barks.", "--device", "onnx");
    expect(outcome).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^cloze: ONNX Runtime cannot be loaded; .*npm rebuild cloze\. \[DEVICE_UNAVAILABLE\]\n$/);
    const program = copy.write(
      "load.mjs",
      `import { onnxExecutor } from "./dist/executors/onnx/node.node.js";
      const load = onnxExecutor({ worker: true }).load({ nodes: [], inputs: [], parameters: [], outputs: {} }, new Map());
      await load.catch(({ code }) => console.log(code));`,
    );
    const { stdout } = spawnSync(process.execPath, [program], { encoding: "utf8" });
    expect(stdout).toBe("DEVICE_UNAVAILABLE\n");
  });

  test("the native kernels compute all the same", ({ skip }) => {
    if (!hasAddon()) skip(NOT_BUILT);
    const outcome = cloze(copyWithout(), "predict", SHIPPED_MODEL, "The [MASK] barks.", "--device", "auto");
    expect(outcome).toEqual({ status: 0, stdout: expect.stringMatching(/"sequence":"the \w+ barks."/), stderr: "" });
  });
});
