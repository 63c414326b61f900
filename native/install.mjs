// The package's `install` script: finds the native kernels or builds them. Cloze works without them, so whatever happens
// here is told in a line and never fails an installation.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LOG = join("build", "install.log");
const IS_PACKAGE = ROOT.split(sep).includes("node_modules");

/** What node-gyp's complaints come down to; the first that fits counts. */
const COMPLAINTS = [
  [/Could not find any Python/, "there is no Python 3"],
  [/not found: make/, "there is no make"],
  [
    /\b(g\+\+|c\+\+|clang\+\+|gcc|cc|clang)[\w.-]*: (No such file|not found|command not found)/,
    "there is no C++ compiler",
  ],
  [/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|bad status code|fetch failed/i, "Node's headers could not be fetched"],
];

try {
  install();
} catch (error) {
  goOnWithout(`the installation stumbled (${error.message})`);
}

function install() {
  if (process.platform === "win32") {
    // Whatever compiler is there: they are written for GCC and clang, and map files as POSIX has it.
    return say("the native kernels are not for Windows; ONNX Runtime computes instead, more slowly.");
  }
  const found = findBinary();
  if (found !== undefined && isCurrent(found)) {
    const reason = refusalOf(found);
    if (reason === undefined) return;
    say(`the native kernels that are there do not load (${reason}), so they are built here.`);
  }
  const { failure, log } = build();
  if (failure === undefined) return;
  // What is left is of other sources, or for other machines; Node 20 crashes where it meets a later Node-API.
  for (let useless = findBinary(); useless?.startsWith(ROOT); useless = findBinary()) {
    renameSync(useless, `${useless}.unusable`);
  }
  mkdirSync(join(ROOT, "build"), { recursive: true }); // which node-gyp empties
  writeFileSync(join(ROOT, LOG), log);
  goOnWithout(failure, ` The log is ${LOG}.`);
}

/** As the executor will find it. */
function findBinary() {
  try {
    return createRequire(import.meta.url)("node-gyp-build").resolve(ROOT);
  } catch {
    return undefined;
  }
}

/** Whether no source has changed since the build; in a package a prebuilt binary came with its sources. */
function isCurrent(binary) {
  if (IS_PACKAGE && !binary.startsWith(join(ROOT, "build"))) return true;
  const sources = readdirSync(join(ROOT, "native"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => join("native", name));
  const changed = [...sources, "binding.gyp"].map((name) => statSync(join(ROOT, name)).mtimeMs);
  return Math.max(...changed) <= statSync(binary).mtimeMs;
}

/** Why a binary does not load: it may be for another libc or Node-API. Tried in a process of its own, which it may crash. */
function refusalOf(binary) {
  const program = "try { require(process.argv[1]) } catch (error) { console.log(error.message); process.exit(1) }";
  const { status, signal, stdout } = spawnSync(process.execPath, ["-e", program, binary], { encoding: "utf8" });
  return status === 0 ? undefined : stdout.split("\n")[0] || `Node ends with ${signal ?? status} when it does`;
}

/** Returns what was wrong, if anything, and what node-gyp said. */
function build() {
  const gyp = process.env.npm_config_node_gyp; // npm brings one and says where
  const [command, ...first] = gyp === undefined ? ["node-gyp"] : [process.execPath, gyp];
  const args = [...first, "rebuild", "--jobs=max", ...headersHere()];
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, npm_config_loglevel: "info" }, // whatever npm itself was told
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const log = [stdout, stderr, error?.message ?? ""].join("\n");
  if (error?.code === "ENOENT") return { failure: "there is no node-gyp, which npm would bring", log };
  if (status !== 0) return { failure: diagnose(log), log };
  const binary = findBinary();
  const refusal = binary === undefined ? "there is no binary" : refusalOf(binary);
  return { failure: refusal && `they were built but do not load (${refusal})`, log };
}

/** Node's headers where they lie beside it, so that nothing is fetched. */
function headersHere() {
  const prefix = dirname(dirname(process.execPath));
  const here = process.env.npm_config_nodedir === undefined && existsSync(join(prefix, "include/node/node_api.h"));
  return here ? [`--nodedir=${prefix}`] : [];
}

function diagnose(log) {
  const known = COMPLAINTS.find(([pattern]) => pattern.test(log));
  return known?.[1] ?? `the build failed (${/\berror: .*/.exec(log)?.[0] ?? "node-gyp does not say why"})`;
}

function goOnWithout(reason, where = "") {
  const again = IS_PACKAGE ? "npm rebuild cloze" : "npm run install";
  say(
    `installed without the native kernels, as ${reason}; ONNX Runtime computes instead, more slowly. To have them, ` +
      `install GCC 11 or clang 14, or later ones, make and Python 3, then run \`${again}\`.${where}`,
  );
}

function say(text) {
  console.error(`cloze: ${text}`);
}
