/**
 * `dropout-mask.wasm.ts` is `dropout-mask.as.ts`, compiled. After a change to the latter, compile anew with
 *
 *     npx vitest run src/graph/dropout-mask.as.test.ts --update
 */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

const OPTIONS = "-O3 --noAssert --runtime stub --use abort= --enable simd --initialMemory 1 --outFile";

it("is the committed module, byte for byte", async () => {
  const asc = ["node_modules/assemblyscript/bin/asc.js", "src/graph/dropout-mask.as.ts", ...OPTIONS.split(" ")];
  const module = execFileSync(process.execPath, asc).toString("base64");
  const source = `/** Generated from dropout-mask.as.ts by dropout-mask.as.test.ts: a WebAssembly module, in base64. */\nexport const DROPOUT_MASK =\n  "${module}";\n`;
  await expect(source).toMatchFileSnapshot("dropout-mask.wasm.ts");
});
