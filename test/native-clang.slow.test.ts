/**
 * The native kernels are written for clang too: it compiles them for every instruction set, as binding.gyp says, and the
 * portable ones for ARM. CLANG names another clang++ than that of the PATH, with its first options if it has any.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { findHeaders } from "./node-gyp.ts";

const ROOT = join(import.meta.dirname, "..");
const [CLANG, ...FIRST] = (process.env.CLANG ?? "clang++").split(" ");
const ARM = "--target=aarch64-linux-gnu";

const Target = z.object({
  target_name: z.string(),
  sources: z.array(z.string()),
  defines: z.array(z.string()),
  cflags: z.array(z.string()).default([]),
});
const Gyp = z.object({
  variables: z.record(z.string(), z.array(z.string())),
  target_defaults: z.object({ cflags: z.array(z.string()), cflags_cc: z.array(z.string()) }),
  targets: z.array(Target),
  conditions: z.tuple([z.tuple([z.literal("target_arch=='x64'"), z.object({ targets: z.array(Target) })])]),
});
const text = readFileSync(join(ROOT, "binding.gyp"), "utf8");
const { variables, target_defaults, targets, conditions } = Gyp.parse(
  JSON.parse(text.replace(/^ *#.*$/gm, "").replace(/,(?=\s*[\]}])/g, "")),
);

/** Lists with those of the variables that they name. */
const expand = (words: readonly string[]) =>
  words.flatMap((word) => {
    const [, name] = /^<@\((\w+)\)$/.exec(word) ?? [];
    return name === undefined ? word : variables[name];
  });

const folder = mkdtempSync(join(tmpdir(), "cloze-clang-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What clang says but for warnings: that a loop is no vector code as GCC would make it is one. */
function clang(...options: readonly string[]): string {
  const { error, stderr } = spawnSync(CLANG, [...FIRST, "-w", ...options], { cwd: folder, encoding: "utf8" });
  return error?.message ?? stderr;
}

function compile({ sources, defines, cflags }: z.infer<typeof Target>, ...more: readonly string[]): string {
  const addonApi = dirname(createRequire(import.meta.url).resolve("node-addon-api"));
  const options = expand([...target_defaults.cflags, ...target_defaults.cflags_cc, ...cflags]);
  const includes = [`-I${addonApi}`, `-I${findHeaders()}/include/node`];
  const files = expand(sources).map((name) => join(ROOT, name));
  return clang(...options, ...defines.map((name) => `-D${name}`), ...includes, ...more, "-c", ...files);
}

/** What clang says of a program that only includes something, if anything. */
const complaint = (...options: readonly string[]) =>
  clang(...options, "-fsyntax-only", "-include", "vector", "-x", "c++", "/dev/null").split("\n")[0];

describe("clang compiles", () => {
  const here = process.arch === "x64" ? [...targets, ...conditions[0][1].targets] : targets;
  test.for(here)("$target_name", (target, { skip }) => {
    const reason = findHeaders() === undefined ? "Node's headers are not beside it" : complaint();
    if (reason !== "") skip(reason);
    expect(compile(target)).toBe("");
  });

  test("portable, for ARM", ({ skip }) => {
    const reason = complaint(ARM);
    if (reason !== "") skip(reason);
    expect(compile(targets[0], ARM)).toBe("");
  });
});
