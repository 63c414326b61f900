import { ClozeError } from "../../base/errors.ts";
import { indexOfNotFinite } from "../../base/finite.ts";
import { batchesByLength } from "../../data/length-groups.ts";
import { joinSequences, type Sequence } from "../../data/sequences.ts";
import type { Executable, Executor, LoadOptions, Value } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operations.ts";
import type { NamedParameters } from "../../graph/parameters.ts";
import type { Control } from "./control.ts";

type Values = Readonly<Record<string, Value>>;

export interface PredictOptions<S extends Sequence> extends Control {
  /** The inputs of a batch; those of BERT by default. */
  readonly inputs?: (batch: readonly S[]) => Values;
  /** Sequences of a batch at most, where each gives many numbers. */
  readonly maxSequences?: number;
}

/** Enough tokens for full speed, few enough for a small memory. */
const BATCH = { maxSequences: 64, maxTokens: 4096 };

/** A graph ready to predict, whatever its head: sequences go in, in batches of like length and without padding. */
export class Predictor {
  #executable: Executable | undefined;

  private constructor(executable: Executable) {
    this.#executable = executable;
  }

  /** `frozen`: the weights will not change, which lets the executor pack them. */
  static async load(
    outputs: Readonly<Record<string, Tensor>>,
    parameters: NamedParameters,
    executor: Executor,
    options: LoadOptions,
  ): Promise<Predictor> {
    return new Predictor(await executor.load(makeGraph(outputs), parameters, options));
  }

  /**
   * Runs sequences, each of which gets what it gets alone. `read` takes up the outputs of a batch, whose sequences have
   * the indices that come with them. Throws DISPOSED, LOGITS_NOT_FINITE, the signal's reason and the errors of a run.
   */
  async run<S extends Sequence>(
    sequences: readonly S[],
    read: (outputs: Values, batch: Int32Array) => void,
    { inputs = joinSequences, maxSequences = BATCH.maxSequences, signal, onProgress }: PredictOptions<S> = {},
  ): Promise<void> {
    let done = 0;
    const lengths = sequences.map(({ ids }) => ids.length);
    const limits = { ...BATCH, maxSequences: Math.min(BATCH.maxSequences, maxSequences) };
    for (const batch of batchesByLength(lengths, limits)) {
      signal?.throwIfAborted();
      if (this.#executable === undefined) {
        throw new ClozeError("DISPOSED", { problem: "the model was disposed of", cure: "Load it anew." });
      }
      const outputs = await this.#executable.run(inputs(Array.from(batch, (i) => sequences[i])), { signal });
      if (Object.values(outputs).some(({ data }) => indexOfNotFinite(data) >= 0)) throw notFinite();
      read(outputs, batch);
      done += batch.length;
      onProgress?.({ done, total: sequences.length });
    }
  }

  /** May be called again. */
  async dispose(): Promise<void> {
    const executable = this.#executable;
    this.#executable = undefined;
    await executable?.dispose();
  }
}

/** A row of a matrix, as a view of it. */
export function rowOf({ data, shape: [, columns] }: Value, row: number): Value["data"] {
  return data.subarray(row * columns, (row + 1) * columns);
}

function notFinite(): ClozeError {
  return new ClozeError("LOGITS_NOT_FINITE", {
    problem: "the model's results are no finite numbers",
    cure: "Check model.safetensors where the model was loaded; in training, lower --learning-rate.",
  });
}
