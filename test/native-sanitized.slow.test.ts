/**
 * The native kernels under AddressSanitizer and UndefinedBehaviorSanitizer: a build of its own in build-sanitized/, which
 * the tests of the kernels find through node-gyp-build's CLOZE_PREBUILD.
 */
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { describeNative } from "./native-kernels.ts";
import { findHeaders, findNodeGyp } from "./node-gyp.ts";

const ROOT = join(import.meta.dirname, "..");
const FOLDER = join(ROOT, "build-sanitized");
const SANITIZE = "-fsanitize=address,undefined";

/** Node keeps memory on purpose, and some tests ask for more than there is. */
const OPTIONS = {
  ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1",
  UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1",
};

/** Tests of several executors, of which the native one's are run. */
const SHARED = testsNamed("executors", "recompute", "batch-independence");

/** Tests of what the native executor promises. */
const PROMISES = [
  ...testsNamed("native", "native-graphs", "native-random-graphs", "native-optimizer", "native-refusals"),
  ...testsNamed("native-cancellation", "native-threads", "native-misuse", "export-native", "int8"),
  ...["addon", "machine", "out-of-memory"].map((name) => `src/executors/native/${name}.test.ts`),
];

function testsNamed(...names: readonly string[]): string[] {
  return names.map((name) => `test/${name}.test.ts`);
}

/** The sanitizer's library, which must be loaded before Node; undefined where the compiler has none. */
function findRuntime(): string | undefined {
  const { stdout } = spawnSync("cc", ["-print-file-name=libasan.so"], { encoding: "utf8" });
  const path = stdout?.trim() ?? "";
  return isAbsolute(path) ? path : undefined;
}

/** Builds what has changed; returns what node-gyp said where it failed. */
function build(): string | undefined {
  for (const name of ["binding.gyp", "package.json", "native"]) {
    cpSync(join(ROOT, name), join(FOLDER, name), { recursive: true, preserveTimestamps: true });
  }
  const headers = findHeaders();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [findNodeGyp(), "configure", "build", "--jobs=max", ...(headers === undefined ? [] : [`--nodedir=${headers}`])],
    {
      cwd: FOLDER,
      env: { ...process.env, CXXFLAGS: `${SANITIZE} -fno-omit-frame-pointer -O1 -g1`, LDFLAGS: SANITIZE },
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    },
  );
  return status === 0 ? undefined : `${stdout}\n${stderr}`.slice(-4000);
}

const runtime = findRuntime();

describeNative("native kernels under the sanitizers", () => {
  if (runtime === undefined) {
    test("find nothing", ({ skip }) => skip("the compiler has no AddressSanitizer"));
    return;
  }

  const run = (...args: readonly string[]) => {
    const env = { ...process.env, ...OPTIONS, LD_PRELOAD: runtime, CLOZE_PREBUILD: FOLDER };
    return spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: "utf8", maxBuffer: 2 ** 28 });
  };

  beforeAll(() => {
    expect(build()).toBeUndefined();
  }, 900_000);

  test("a kernel that writes beyond its buffer is found, so those below would be", () => {
    const program = `
      const { loadAddon } = await import("./src/executors/native/addon.node.ts");
      const addon = loadAddon();
      const fill = addon.kernels.indexOf("fill");
      await addon.run(0, new addon.Pool(1), Float64Array.of(fill, 4, 0, 0, BEYOND, 1), [new ArrayBuffer(400)]).ended;
      console.log("done");`;
    const fill = (count: number) =>
      run("--import", "tsx", "--input-type=module", "-e", program.replace("BEYOND", `${count}`));
    expect(fill(100)).toMatchObject({ status: 0, stdout: "done\n", stderr: "" });
    const { status, stderr } = fill(101);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/AddressSanitizer: heap-buffer-overflow/);
  });

  describe.each([
    ["what all executors promise, on every instruction set", SHARED, ["-t", "native"]],
    ["what the native executor promises", PROMISES, []],
  ])("%s", (_, files, options) => {
    test("finds nothing", () => {
      const report = join(FOLDER, "tests.json");
      rmSync(report, { force: true });
      const reporters = ["--reporter=default", "--reporter=json", `--outputFile=${report}`];
      const program = ["node_modules/vitest/vitest.mjs", "run", "--testTimeout", "600000", ...reporters];
      const { status, stdout, stderr } = run(...program, ...files, ...options);
      if (status !== 0) console.log(`${stdout}\n${stderr}`.slice(-8000));
      expect({ status, errors: /.*(ERROR: \w+Sanitizer|runtime error).*/.exec(stderr)?.[0] }).toEqual({ status: 0 });
      const passed = passedIn(report);
      console.log(passed);
      expect(Object.keys(passed).sort()).toEqual([...files].sort());
      expect(Object.entries(passed).filter(([, count]) => count === 0)).toEqual([]);
    }, 1_800_000);
  });
});

/** How many tests of each file passed: a file all of whose tests are skipped proves nothing. */
function passedIn(report: string): Record<string, number> {
  const { testResults }: Report = JSON.parse(readFileSync(report, "utf8"));
  return Object.fromEntries(
    testResults.map(({ name, assertionResults }) => [
      relative(ROOT, name),
      assertionResults.filter(({ status }) => status === "passed").length,
    ]),
  );
}

/** What is read of Vitest's report. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}
