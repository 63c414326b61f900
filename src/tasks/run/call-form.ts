import type { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { requireKnown } from "../../base/require-known.ts";
import { CONTROL_OPTIONS } from "./control.ts";

/** What a pipeline is called with. */
export interface CallForm<Options> {
  readonly input: z.ZodType;
  /** The input in words, for messages: "{ question, context }". */
  readonly called: string;
  /** Names of its options, beside those of `Control`. */
  readonly options: Readonly<Record<keyof Options, true>>;
}

/**
 * Throws OPTION_INVALID where an input is none of the task's, or an option is unknown, which would be ignored otherwise. Programs
 * in TypeScript do not get this far.
 */
export function requireCall<Options>(form: CallForm<Options>, given: unknown, options: object): void {
  const inputs: readonly unknown[] = Array.isArray(given) ? given : [given];
  const wrong = inputs.findIndex((input) => !form.input.safeParse(input).success);
  if (wrong >= 0) {
    throw new ClozeError("OPTION_INVALID", {
      problem: Array.isArray(given)
        ? `input ${wrong + 1} of the list has the wrong form`
        : "the input has the wrong form",
      expected: Array.isArray(given) ? form.called : `${form.called}, or a list of such inputs`,
      received: formOf(inputs[wrong]),
    });
  }
  requireKnown(options, { ...form.options, ...CONTROL_OPTIONS });
}

/** What a value is, without what may be long in it. */
function formOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value !== "object") return value === undefined ? "undefined" : `a ${typeof value}`;
  return `{ ${Object.entries(value)
    .map(([name, part]) => `${name}: ${part === null ? "null" : Array.isArray(part) ? "list" : typeof part}`)
    .join(", ")} }`;
}
