import { ClozeError } from "./errors.ts";

/**
 * Throws OPTION_INVALID where there is an option of another name than the keys of `known`, which would be ignored otherwise.
 * Programs in TypeScript do not get this far.
 */
export function requireKnown<Options extends object>(
  options: Options,
  known: NoInfer<Readonly<Record<keyof Options, unknown>>>,
): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: `there is no option ${unknown}`,
    expected: Object.keys(known).join(", "),
  });
}
