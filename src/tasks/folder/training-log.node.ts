import { join } from "node:path";
import { openLogFile } from "../../formats/log-file.node.ts";
import { openEventFile } from "../../formats/tensorboard-file.node.ts";

/** Updates between two lines at most; each gives the means of those since the one before. */
const LOG_EVERY = 10;

/** What a training tells its log. */
export type LogEvent =
  | Step
  /** Figures under their whole names, such as `heldOut/perplexity`. */
  | { readonly kind: "figures"; readonly step: number; readonly figures: Readonly<Record<string, number>> }
  /** A checkpoint is about to be written. */
  | { readonly kind: "checkpoint"; readonly step: number };

/** An update. */
interface Step {
  readonly kind: "step";
  /** Updates made. */
  readonly step: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly tokens: number;
  readonly seconds: number;
  /** Part of the seconds that waited for the batch, where it is made meanwhile. */
  readonly waiting?: number;
  /** Tokens and seconds of the whole training up to here, where they are counted. */
  readonly total?: { readonly tokens: number; readonly seconds: number };
}

/** Writes how a training goes into its output folder: `log.jsonl` and an event file for TensorBoard. */
export interface TrainingLog {
  record(event: LogEvent): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the logs of a training; `step` is the one that it goes on from, whose later lines are dropped, and undefined where
 * it begins anew. `ceiling` is the speed, in tokens a second, that its own is given as a share of. Throws ROW_MALFORMED,
 * EVENTS_MALFORMED and the errors of writing.
 */
export async function openTrainingLog(
  folder: string,
  { step, ceiling }: { readonly step: number | undefined; readonly ceiling?: number },
): Promise<TrainingLog> {
  const log = await openLogFile(join(folder, LOG), { keepThrough: step });
  const events = await openEventFile(folder, { keepThrough: step }).catch(async (error) => {
    await log.close();
    throw error;
  });
  let means = new Means();
  const write = async (step: number, scalars: Readonly<Record<string, number>>) => {
    await log.append({ step, ...scalars });
    await events.append({ step, scalars });
    await log.flush();
    await events.flush();
  };
  return {
    async record(event) {
      if (event.kind === "figures") await write(event.step, event.figures);
      if (event.kind === "step") means.add(event);
      // Before a checkpoint too: a training that goes on from there would know nothing of the updates before it.
      if (event.kind === "checkpoint" || event.step % LOG_EVERY === 0) {
        const scalars = means.scalars(ceiling);
        means = new Means();
        if (scalars !== undefined) await write(event.step, scalars);
      }
    },
    async close() {
      try {
        await log.close();
      } finally {
        await events.close();
      }
    },
  };
}

/** The file of the lines, in the output folder. */
export const LOG = "log.jsonl";

/** The numbers among some metrics, under a name before their own. */
export function figuresOf(prefix: string, metrics: Readonly<Record<string, unknown>>): Record<string, number> {
  const figures = Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  return Object.fromEntries(figures.map(([name, value]) => [`${prefix}/${name}`, value]));
}

/** Means of the figures of some steps. */
class Means {
  readonly #sums: Record<string, number> = {};
  #count = 0;
  #tokens = 0;
  #seconds = 0;
  #waiting = 0;

  #last: Step | undefined;

  add(step: Step): void {
    const { loss, metrics, gradientNorm, tokens, seconds, waiting = 0 } = step;
    this.#last = step;
    for (const [name, value] of Object.entries({ loss, ...metrics, gradientNorm })) {
      this.#sums[name] = (this.#sums[name] ?? 0) + value;
    }
    this.#count++;
    this.#tokens += tokens;
    this.#seconds += seconds;
    this.#waiting += waiting;
  }

  /** Undefined where there are none. */
  scalars(ceiling: number | undefined): Record<string, number> | undefined {
    if (this.#last === undefined) return undefined;
    const { learningRate, total, waiting } = this.#last;
    const means = Object.entries(this.#sums).map(([name, sum]) => [`train/${name}`, sum / this.#count]);
    const { maskedLoss } = this.#sums;
    return {
      ...Object.fromEntries(means),
      ...(maskedLoss !== undefined && { "train/perplexity": Math.exp(maskedLoss / this.#count) }),
      "train/learningRate": learningRate,
      "speed/tokensPerSecond": this.#tokens / this.#seconds,
      ...(ceiling !== undefined && { "speed/ceilingShare": this.#tokens / this.#seconds / ceiling }),
      ...(waiting !== undefined && { "speed/waitingShare": this.#waiting / this.#seconds }),
      ...total,
    };
  }
}
