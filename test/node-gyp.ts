import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** npm's own node-gyp. */
export function findNodeGyp(): string {
  const { npm_config_node_gyp: known } = process.env;
  if (known !== undefined) return known;
  const { stdout } = spawnSync("npm", ["root", "--global"], { encoding: "utf8" });
  return join(stdout.trim(), "npm/node_modules/node-gyp/bin/node-gyp.js");
}

/** The folder that has include/node/, where it lies beside Node. */
export function findHeaders(): string | undefined {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node_api.h")) ? prefix : undefined;
}
