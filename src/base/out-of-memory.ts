import { ClozeError } from "./errors.ts";

/** What needs memory, as the subject and verb of a sentence, and what to do where there is too little. */
export interface Need {
  readonly what: string;
  readonly cure: string;
}

export const RUN: Need = { what: "a run needs", cure: "Use a smaller batch or shorter texts." };

/** `bytes`: what was asked for, where that is known. */
export function outOfMemory(cause: unknown, { need = RUN, bytes }: { need?: Need; bytes?: number } = {}): ClozeError {
  return new ClozeError("OUT_OF_MEMORY", {
    problem: `${need.what} more memory than there is`,
    ...(bytes === undefined ? {} : { expected: `${(bytes / 2 ** 20).toFixed(0)} MiB` }),
    cure: need.cure,
    cause,
  });
}
