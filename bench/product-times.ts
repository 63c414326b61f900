/**
 * How fast the matrix products of a training step's linear layers run on their own, forward and both backward forms.
 * Narrow products run slower than wide ones, so a small model has a lower ceiling. `--packing` counts the packing of right
 * sides too, which other libraries do inside a product. `--wall` times whole runs of a product's graph, from inputs to outputs
 * in JavaScript, as is done anyway where an executor does not time its kernels. Prints one JSON line.
 *
 *     npx tsx bench/product-times.ts --model mini --batch 64 --precision bf16
 */
import { parseArgs } from "node:util";
import { presetConfig } from "../src/bert/config.ts";
import { linearProducts } from "../src/bert/products.ts";
import { openExecutor } from "../src/executors/executor.node.ts";
import type { Executor, TimedCall } from "../src/graph/executor.ts";
import { measureProducts } from "../src/train/ceiling.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "base" },
    batch: { type: "string", default: "16" },
    length: { type: "string", default: "128" },
    vocabulary: { type: "string", default: "30522" },
    device: { type: "string", default: "cpu" },
    precision: { type: "string", default: "auto" },
    packing: { type: "boolean", default: false },
    wall: { type: "boolean", default: false },
  },
});
const { device, precision, packing, wall } = values;
const [batch, length] = [Number(values.batch), Number(values.length)];
const config = presetConfig(values.model as "base", Number(values.vocabulary));
const lengths = new Array<number>(batch).fill(length);
const masked = Math.round(0.15 * batch * length);
const products = linearProducts(config, { lengths, masked, asked: masked + batch });
const executor = await openExecutor(
  { device: device as "cpu", precision: precision as "auto", threads: 2 },
  "training",
);
const told = wall ? () => [] : packing ? productsAndPacking : (calls: readonly TimedCall[]) => calls;
const times = await measureProducts(telling(executor, told), products);

const total = (read: (time: (typeof times)[number]) => number) =>
  times.reduce((sum, time) => sum + time.count * read(time), 0);
const shapes = products.map(({ rows, inner, columns }, i) => {
  const forms = times.slice(3 * i, 3 * i + 3); // as measureProducts has them: x Wᵀ, dy W, dyᵀ x
  return [`${rows} x ${inner} x ${columns}`, forms.map(({ flop, seconds }) => Math.round(flop / seconds / 1e9))];
});
const gflops = total(({ flop }) => flop) / total(({ seconds }) => seconds) / 1e9;
console.log(JSON.stringify({ gflops, shapes: Object.fromEntries(shapes), products }));

/** The product alone, which takes as long as it and what is packed for it. */
function productsAndPacking(calls: readonly TimedCall[]): readonly TimedCall[] {
  const own = calls.filter(({ family }) => family === "products" || family === "packing");
  const product = own.find(({ family }) => family === "products");
  return product ? [{ ...product, seconds: own.reduce((sum, { seconds }) => sum + seconds, 0) }] : [];
}

/** An executor that tells of its calls what is made of them. */
function telling(inner: Executor, told: (calls: readonly TimedCall[]) => readonly TimedCall[]): Executor {
  return {
    name: inner.name,
    async load(...graph) {
      const executable = await inner.load(...graph);
      return {
        run: (inputs, options = {}) =>
          executable.run(inputs, { ...options, onCalls: (calls) => options.onCalls?.(told(calls)) }),
        dispose: () => executable.dispose(),
      };
    },
  };
}
