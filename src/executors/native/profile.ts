import type { TimedCall } from "../../graph/executor.ts";
import { type Call, isPlace, type Place, quantityIn, type RunSizes } from "./plan.ts";

/** Kernels by what they are for. */
const FAMILIES = {
  products: ["product", "quantizedProduct"],
  attention: ["attention", "attentionGradient"],
  normalisation: ["layerNorm", "layerNormGradient"],
  pointwise: ["add", "activation", "activationGradient", "dropout"],
  rows: ["positions", "starts", "fill", "gather", "scatterAdd", "sumRows"],
  losses: [
    ...["softmaxSums", "softmaxCrossEntropy", "softmaxCrossEntropyGradient", "accuracy"],
    ...["segmentCrossEntropy", "segmentCrossEntropyGradient"],
    ...["sigmoidCrossEntropy", "sigmoidCrossEntropyGradient", "squaredError", "squaredErrorGradient"],
  ],
  packing: ["packRight", "packQuantized", "quantizeRows", "convert"],
  optimizer: ["adamw", "measureChanges", "applyChanges", "sumOfSquares"],
} as const;

type KernelFamily = keyof typeof FAMILIES;

const FAMILY_OF: ReadonlyMap<string, KernelFamily> = new Map(
  (Object.keys(FAMILIES) as KernelFamily[]).flatMap((family) => FAMILIES[family].map((kernel) => [kernel, family])),
);

/** Operations of a call from its numbers, places left out, in the order of its arguments. */
const FLOP: Readonly<Record<string, (numbers: readonly number[]) => number>> = {
  product: ([, , , rows, columns, inner]) => 2 * rows * columns * inner,
  quantizedProduct: ([rows, columns, inner]) => 2 * rows * columns * inner,
  attention: ([, , longest, tokens, width]) => 4 * tokens * longest * width,
  attentionGradient: ([, , longest, tokens, width]) => 10 * tokens * longest * width,
};

/** As lowering.ts numbers the types: float32, bfloat16. */
const TYPE_BYTES = [4, 2];

/** Bytes of a call that touches only some of its places, from its numbers; all others touch the whole of them. */
const BYTES: Readonly<Record<string, (numbers: readonly number[]) => number>> = {
  gather: ([from, to, rows, columns]) => rows * (columns * (TYPE_BYTES[from] + TYPE_BYTES[to]) + 4),
  scatterAdd: ([type, rows, columns]) => rows * (columns * (TYPE_BYTES[type] + 2 * 4) + 4),
};

export function timedCall(
  { kernel, arguments: args }: Call,
  seconds: number,
  run: RunSizes,
  bytesOf: (place: Place) => number,
): TimedCall {
  const numbers = args.flatMap((argument) =>
    argument === null || isPlace(argument) ? [] : [quantityIn(argument, run)],
  );
  const bytes = BYTES[kernel]?.(numbers) ?? args.filter(isPlace).reduce((sum, place) => sum + bytesOf(place), 0);
  const family = FAMILY_OF.get(kernel) ?? "other";
  return { kernel, family, seconds, flop: FLOP[kernel]?.(numbers) ?? 0, bytes };
}
