import { expect, test } from "vitest";
import { Random } from "../base/random.ts";
import { referenceExecutor } from "../executors/reference/executor.ts";
import { gather, input, softmaxCrossEntropy } from "../graph/build.ts";
import { parameterGradients } from "../graph/differentiate.ts";
import { vector } from "../graph/executor.ts";
import { makeGraph } from "../graph/graph.ts";
import type { Tensor } from "../graph/operations.ts";
import { initialise, Parameters } from "../graph/parameters.ts";
import { bert, bertInputs, type HiddenOf } from "./bert.ts";
import { parseBertConfig } from "./config.ts";

const [LENGTHS, D] = [[4, 1, 6], 12];
const config = parseBertConfig(
  {
    ...{ vocab_size: 29, hidden_size: D, num_hidden_layers: 3, num_attention_heads: 2, intermediate_size: 17 },
    ...{ max_position_embeddings: 7, type_vocab_size: 2, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
  },
  "the test's config",
);

/** Some rows of the hidden states, a row twice, and the gradients of a loss that reads these alone. */
async function askFor(read: (hiddenOf: HiddenOf, hidden: Tensor, rows: Tensor<"int32">) => Tensor) {
  const { hiddenOf, hidden } = bert(config, bertInputs());
  const asked = read(hiddenOf, hidden, input("rows", "int32", ["M"])); // [M, D]
  const loss = softmaxCrossEntropy(asked, input("labels", "int32", ["M"]), input("weights", "float32", ["M"]));
  const graph = makeGraph({ asked, loss, ...parameterGradients(loss) });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 0.5, 3);
  const executable = await referenceExecutor.load(graph, parameters);
  const random = Random.of(7);
  const tokens = (below: number) => vector(Int32Array.from({ length: 11 }, () => random.below(below)));
  return executable.run({
    ids: tokens(29),
    typeIds: tokens(2),
    lengths: vector(Int32Array.from(LENGTHS)),
    rows: vector(Int32Array.of(9, 0, 5, 9)),
    labels: vector(Int32Array.of(3, 0, 11, 8)),
    weights: vector(Float32Array.of(0.5, 2, 1, 3)),
  });
}

test("hidden states of some rows are those rows of all hidden states, with the same gradients", async () => {
  const chosen = await askFor((_, hidden, rows) => gather(hidden, rows));
  const asked = await askFor((hiddenOf, _, rows) => hiddenOf(rows));
  expect(Object.keys(asked).toSorted()).toEqual(Object.keys(chosen).toSorted());
  for (const [name, { data, shape }] of Object.entries(asked)) {
    expect(shape).toEqual(chosen[name].shape);
    for (const [i, value] of data.entries()) expect(value).toBeCloseTo(chosen[name].data[i], 9);
  }
});
