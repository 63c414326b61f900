// Lays the kernels that were built on this machine where the package takes them along and node-gyp-build looks for them:
// prebuilds/<platform>-<arch>/cloze.napi.api<version of Node-API>.<libc>.node.
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const musl = existsSync("/etc/alpine-release"); // as node-gyp-build tells
const libc = process.platform === "linux" ? [musl ? "musl" : "glibc"] : [];
const [, nodeApi] = /NAPI_VERSION=(\d+)/.exec(readFileSync(join(root, "binding.gyp"), "utf8"));

const built = join(root, "build/Release/cloze.node");
if (!existsSync(built)) {
  console.error("cloze: no native kernels were built here, so the package takes none along.");
  process.exit();
}
const folder = join(root, "prebuilds", `${process.platform}-${process.arch}`);
const target = join(folder, ["cloze", "napi", `api${nodeApi}`, ...libc, "node"].join("."));
mkdirSync(folder, { recursive: true });
copyFileSync(built, target);
console.error(relative(root, target)); // the standard output of npm pack is its own
