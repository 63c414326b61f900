import { ClozeError } from "../../base/errors.ts";
import type { Parameter } from "../../graph/parameters.ts";

/** Throws WEIGHTS_NOT_FINITE for a weight that was read from `path` and has a number that is none. */
export function requireFinite(path: string, { spec: { name, shape }, data }: Parameter): void {
  let zero = 0;
  for (let i = 0; i < data.length; i++) zero += data[i] * 0; // of what is not finite no number
  if (zero === 0) return;
  const at = data.findIndex((x) => !Number.isFinite(x));
  throw new ClozeError("WEIGHTS_NOT_FINITE", {
    problem: `${path} is spoilt: ${name} has numbers that are not finite`,
    expected: "finite numbers",
    received: `${data[at]} at element ${at} of [${shape.join(", ")}]`,
    cure: "Download or write the file again; a training that diverged leaves nothing to use.",
  });
}
