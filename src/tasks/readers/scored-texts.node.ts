import { quote } from "../../base/quote.ts";
import { malformedRow } from "../../formats/table-row.ts";
import type { RegressionReading } from "../definitions/regression.ts";
import type { Examples } from "../definitions/task.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { readTextRows } from "./text-rows.node.ts";

/**
 * Reads texts with a number each. Throws the errors of `readTextRows`, and ROW_MALFORMED for what is no number or too large
 * for the float32 that models compute in.
 */
export function readScoredTexts(path: string, options: RegressionReading): Promise<Examples<TextInput, number>> {
  const parse = (cell: string, place: string) => {
    const score = DECIMAL.test(cell) ? Number(cell) : Number.NaN;
    if (Number.isFinite(Math.fround(score))) return score;
    throw malformedRow(place, "a number as its score, from -3.4e38 to 3.4e38", quote(cell));
  };
  return readTextRows(path, { ...options, kind: "regression", gold: "score", goldColumn: options.scoreColumn, parse });
}

/** Not what else `Number` takes: nothing, or other bases. */
const DECIMAL = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;
