import { ClozeError } from "../../base/errors.ts";

/**
 * Which hidden states of BERT are wanted: 0 is the output of the embeddings, 1 to L that of each layer, and negative
 * numbers count from the end, -1 being the last layer. Numbers in a list, or written out: "-1", "-4..-1", "0,6,10..12".
 */
export type LayerChoice = string | readonly number[];

/**
 * The layers of a choice as numbers from 0 to L, in the order in which it names them.
 *
 * @param layers the layers of the encoder, L
 * @throws ClozeError OPTION_INVALID for what is no choice, for layers that the model lacks, and for a layer named twice
 */
export function chooseLayers(choice: LayerChoice, layers: number): number[] {
  const numbers =
    typeof choice === "string"
      ? choice.split(",").flatMap((part) => range(part, layers))
      : choice.map((number) => fromStart(number, layers));
  if (numbers.length === 0) throw invalid("no layer is chosen", layers);
  const twice = numbers.find((number, i) => numbers.indexOf(number) < i);
  if (twice !== undefined) throw invalid(`layer ${twice} is chosen twice`, layers, JSON.stringify(choice));
  return numbers;
}

/** A number, or the first and the last of a run. */
function range(part: string, layers: number): number[] {
  const [, first, last = first] = /^\s*(-?\d+)(?:\.\.(-?\d+))?\s*$/.exec(part) ?? [];
  if (first === undefined) throw invalid("a choice of layers cannot be read", layers, JSON.stringify(part));
  const [from, to] = [fromStart(Number(first), layers), fromStart(Number(last), layers)];
  if (from > to) throw invalid("a run of layers goes upwards", layers, JSON.stringify(part));
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function fromStart(number: number, layers: number): number {
  const index = number < 0 ? number + layers + 1 : number;
  if (Number.isInteger(index) && index >= 0 && index <= layers) return index;
  throw invalid("the model has no such layer", layers, String(number));
}

function invalid(problem: string, layers: number, received?: string): ClozeError {
  return new ClozeError("OPTION_INVALID", {
    problem,
    expected: `layers from 0, the embeddings, to ${layers}, or from -${layers + 1} to -1, such as "-1" or "-4..-1"`,
    received,
  });
}
