import { ClozeError } from "../../base/errors.ts";
import { indexOfNotFinite } from "../../base/finite.ts";
import type { Parameter } from "../../graph/parameters.ts";

/** Throws WEIGHTS_NOT_FINITE for a weight that was read from `path` and has a number that is none. */
export function requireFinite(path: string, { spec: { name, shape }, data }: Parameter): void {
  const at = indexOfNotFinite(data);
  if (at < 0) return;
  throw new ClozeError("WEIGHTS_NOT_FINITE", {
    problem: `${path} is spoilt: ${name} has numbers that are not finite`,
    expected: "finite numbers",
    received: `${data[at]} at element ${at} of [${shape.join(", ")}]`,
    cure: "Download or write the file again; a training that diverged leaves nothing to use.",
  });
}
