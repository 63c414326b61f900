/** What bfloat16 changes on real data: the loss of a pre-training, by less than a percent. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadTokenizer, prepareCorpus, pretrain } from "../dist/index.js"; // its threads are files of dist
import { SHIPPED_MODEL } from "../src/tasks/folder/shipped-model.node.ts";
import { describeBfloat16, describeNative } from "./native-kernels.ts";

const PART = join(import.meta.dirname, "../../shared/data/corpora/wikipedia-en-2015/part-00.jsonl.gz");
const STEPS = 500;
/** Steps at the end whose mean loss is compared: that of one batch differs from the next one's by more than 1%. */
const LAST = 50;

describeNative("bfloat16 on real data", (addon) => {
  describeBfloat16("of Wikipedia", addon, () => {
    test("pre-training has the loss of float32 after 500 steps, to 1%", async ({ skip }) => {
      if (!existsSync(PART)) skip("the folder shared/data/corpora is not beside the project");
      const folder = mkdtempSync(join(tmpdir(), "cloze-bf16-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const data = join(folder, "corpus");
      await prepareCorpus({ sources: [PART], tokenizer: await loadTokenizer(SHIPPED_MODEL), output: data });
      const lossIn = async (precision: "fp32" | "bf16") => {
        const losses: number[] = [];
        await pretrain({
          data: [data],
          model: join(SHIPPED_MODEL, "config.json"),
          vocab: SHIPPED_MODEL,
          output: join(folder, precision),
          steps: STEPS,
          batchTokens: 2048,
          maxLength: 128,
          learningRate: 1e-3,
          warmupSteps: 50,
          precision,
          onEvent: (event) => void (event.kind === "step" && losses.push(event.loss)),
        });
        return losses.slice(-LAST).reduce((sum, loss) => sum + loss, 0) / LAST;
      };
      const [exact, rounded] = [await lossIn("fp32"), await lossIn("bf16")];
      console.log(`loss after ${STEPS} steps: ${exact.toFixed(4)} in float32, ${rounded.toFixed(4)} in bfloat16`);
      expect(exact).toBeLessThan(8); // it began at 10.4: ln 16384, and ln 2 of the pairs
      expect(Math.abs(rounded / exact - 1)).toBeLessThan(0.01);
    }, 1_800_000);
  });
});
