/** What Cloze is measured beside: found or made on this machine, or left out with a word about it. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const PEERS = fileURLToPath(new URL("peers/", import.meta.url));

/** The first python3 that has PyTorch. */
const python = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import torch"], { encoding: "utf8" }).status === 0,
);

/** Whether PyTorch can be measured; if not, says for what it is missing. */
export function hasPyTorch(what: string): boolean {
  if (python === undefined) console.error(`${what}: no python3 here has PyTorch, so its rows are left out`);
  return python !== undefined;
}

/** Runs peers/pytorch_step.py, which prints one line of JSON and chooses the kernels of OpenBLAS, whatever this shell has. */
export function runPyTorch(...options: readonly string[]): unknown {
  const { OPENBLAS_CORETYPE, ...env } = process.env;
  const { stdout, stderr, status } = spawnSync(python ?? "", [join(PEERS, "pytorch_step.py"), ...options], {
    encoding: "utf8",
    env,
  });
  if (status !== 0) throw new Error(`pytorch_step.py failed:\n${stderr}`);
  return JSON.parse(stdout);
}

/** Compiles peers/registers.cc into a folder; undefined, with a word about it, where that cannot be done. */
export function compileRegisters(folder: string): string | undefined {
  const program = join(folder, "registers");
  const options = ["-O2", "-march=native", "-pthread", join(PEERS, "registers.cc"), "-o", program];
  const { status, stderr, error } = spawnSync("g++", options, { encoding: "utf8" });
  if (status === 0) return program;
  console.error(`products: no register limit, since g++ fails:\n${error?.message ?? stderr}`);
  return undefined;
}

/**
 * Whether transformers.js is there: it is installed into peers/ from the lock file beside it, without install scripts, when
 * it is first asked for. Says so where that fails.
 */
export function hasTransformersJs(what: string): boolean {
  if (existsSync(join(PEERS, "node_modules/@huggingface/transformers"))) return true;
  console.error(`${what}: installing transformers.js into ${PEERS}`);
  const { status, stderr } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: PEERS,
    encoding: "utf8",
  });
  if (status !== 0)
    console.error(`${what}: transformers.js could not be installed, so its rows are left out:\n${stderr}`);
  return status === 0;
}
