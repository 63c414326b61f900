import type { TimedCall } from "../../graph/executor.ts";
import { FAMILIES, type KernelFamily, type KernelName } from "./families.ts";
import { BYTES, type Call, isPlace, type Place, quantityIn, type RunSizes } from "./plan.ts";

const FAMILY_OF: ReadonlyMap<KernelName, KernelFamily> = new Map(
  (Object.keys(FAMILIES) as KernelFamily[]).flatMap((family) => FAMILIES[family].map((kernel) => [kernel, family])),
);

type Figures = { readonly [K in KernelName]?: (numbers: readonly number[]) => number };

/** Operations of a call from its numbers, places left out, in the order of its arguments. */
const FLOP_OF_CALLS: Figures = {
  product: ([, , , rows, columns, inner]) => 2 * rows * columns * inner,
  quantizedProduct: ([rows, columns, inner]) => 2 * rows * columns * inner,
  attention: ([, , longest, tokens, width]) => 4 * tokens * longest * width,
  attentionGradient: ([, , longest, tokens, width]) => 10 * tokens * longest * width,
};

/** As lowering.ts numbers the types: float32, bfloat16. */
const TYPE_BYTES = [BYTES.float32, BYTES.bfloat16];

/** Bytes of a call that touches only some of its places, from its numbers; all others touch the whole of them. */
const BYTES_OF_CALLS: Figures = {
  gather: ([from, to, rows, columns]) => rows * (columns * (TYPE_BYTES[from] + TYPE_BYTES[to]) + 4),
  scatterAdd: ([type, rows, columns]) => rows * (columns * (TYPE_BYTES[type] + 2 * 4) + 4),
};

/** What a call took, in seconds, with the sizes that it had in its run; `bytesOf` gives those of a place. */
export function timedCall(
  { kernel, arguments: args }: Call,
  seconds: number,
  run: RunSizes,
  bytesOf: (place: Place) => number,
): TimedCall {
  const numbers = args.flatMap((argument) =>
    argument === null || isPlace(argument) ? [] : [quantityIn(argument, run)],
  );
  const bytes =
    BYTES_OF_CALLS[kernel]?.(numbers) ?? args.filter(isPlace).reduce((sum, place) => sum + bytesOf(place), 0);
  const family = FAMILY_OF.get(kernel)!;
  return { kernel, family, seconds, flop: FLOP_OF_CALLS[kernel]?.(numbers) ?? 0, bytes };
}
