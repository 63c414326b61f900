/**
 * `kernels.wasm.ts` is `kernels.as.ts`, compiled. After a change to the latter, compile anew with
 *
 *     npx vitest run src/optim/kernels.as.test.ts --update
 */
import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

const OPTIONS = "-O3 --noAssert --runtime stub --use abort= --enable simd --importMemory --outFile";

it("is the committed module, byte for byte", async () => {
  const asc = ["node_modules/assemblyscript/bin/asc.js", "src/optim/kernels.as.ts", ...OPTIONS.split(" ")];
  const module = execFileSync(process.execPath, asc).toString("base64");
  const source = `/** Generated from kernels.as.ts by kernels.as.test.ts: a WebAssembly module, in base64. */\nexport const KERNELS =\n  "${module}";\n`;
  await expect(source).toMatchFileSnapshot("kernels.wasm.ts");
});
