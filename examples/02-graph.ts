/** A graph, its gradient, and two executors that agree on both: `npx tsx examples/02-graph.ts` */
import {
  differentiate,
  initialise,
  makeGraph,
  onnxExecutor,
  Parameters,
  presetConfig,
  printGraph,
  referenceExecutor,
  sequenceClassification,
  vector,
  withoutDropout,
} from "cloze";

// The smallest preset, with a vocabulary of 100 words and three labels.
const config = withoutDropout({ ...presetConfig("tiny", 100), layers: 1 });
const { logits, loss } = sequenceClassification(config, { labels: 3 });
const forward = makeGraph({ logits, loss });
console.log(printGraph(forward).split("\n").slice(0, 12).join("\n"));

// The gradient of the loss with respect to one weight is another tensor, of a larger graph.
const classifier = forward.nodes.find(
  (node) => "name" in node.attributes && node.attributes.name === "classifier.weight",
);
const [gradient] = differentiate(loss, classifier!.outputs);
const graph = makeGraph({ loss, gradient: gradient! });
console.log(`\n${forward.nodes.length} nodes forward, ${graph.nodes.length} with one gradient\n`);

const parameters = new Parameters(graph.parameters);
initialise(parameters, config.initializerRange, 42);

// Two sentences of 3 and 2 tokens, one after another: there is no padding.
const inputs = {
  ids: vector(Int32Array.of(2, 17, 3, 2, 3)),
  typeIds: vector(new Int32Array(5)),
  lengths: vector(Int32Array.of(3, 2)),
  labels: vector(Int32Array.of(0, 2)),
  weights: vector(Float32Array.of(0.5, 0.5)),
};
for (const executor of [referenceExecutor, onnxExecutor()]) {
  const executable = await executor.load(graph, parameters);
  const { loss, gradient } = await executable.run(inputs);
  console.log(executor.name.padEnd(10), "loss", loss!.data[0].toFixed(6), "gradient[0]", gradient!.data[0].toFixed(6));
  await executable.dispose();
}
