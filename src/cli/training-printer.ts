import { countOf } from "../base/count-of.ts";
import type { FinetuneEvent } from "../tasks/finetuning/finetune-options.node.ts";
import { dataNotes } from "./data-notes.ts";
import { type Progress, printLine, showProgress } from "./progress.ts";

/** Says on standard error how the training goes. */
export class TrainingPrinter {
  #progress: Progress | undefined;
  #started = Date.now();
  #tokens = 0;
  #loss: number | undefined;

  print(event: FinetuneEvent) {
    switch (event.kind) {
      case "data": {
        const notes = [countOf(event.examples, "example"), ...dataNotes(event)];
        return console.error(`${event.file}: ${notes.join(", ")}`);
      }
      case "model": {
        console.error(`${event.parameters.toLocaleString("en")} parameters${listed(event.labels)}`);
        if (event.fresh.length > 0) console.error(`starting from random values: ${event.fresh.join(", ")}`);
        if (event.unused.length > 0)
          console.error(`not used: ${event.unused.length} weights, ${event.unused[0]} first`);
        return;
      }
      case "resumed":
        return console.error(
          event.step === 0
            ? "no checkpoint yet, starting from the beginning"
            : `resuming after step ${event.step} of ${event.totalSteps}`,
        );
      case "ended":
        return console.error(`nothing to resume: the training ended after step ${event.steps}`);
      case "step": {
        if (this.#progress === undefined) {
          this.#progress = showProgress("training", event.totalSteps, event.step);
          this.#started = Date.now();
        } else {
          this.#tokens += event.tokens;
        }
        // A running mean over about 20 steps is steady enough to read.
        this.#loss = this.#loss === undefined ? event.loss : 0.95 * this.#loss + 0.05 * event.loss;
        const rate = Math.round((1000 * this.#tokens) / Math.max(1, Date.now() - this.#started));
        const speed = rate > 0 ? `  ${rate.toLocaleString("en")} tokens/s` : "";
        return this.#progress.update(event.step, `loss ${this.#loss.toFixed(3)}${speed}`);
      }
      case "epoch": {
        const score = event.evaluation === undefined ? "" : `, dev score ${event.evaluation.score.toFixed(4)}`;
        return printLine(this.#progress, `epoch ${event.epoch + 1}: loss ${event.loss.toFixed(4)}${score}`);
      }
    }
  }

  stop() {
    this.#progress?.stop();
  }
}

/** Labels as a person wants to read them: all of some, the first of many. */
function listed(labels: readonly string[]): string {
  if (labels.length === 0) return "";
  const shown = labels.slice(0, 20).join(", ");
  return labels.length > 20 ? `, ${labels.length} labels: ${shown}, ...` : `, labels ${shown}`;
}
