import type { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { plainWords } from "../../base/plain-words.ts";

/** Those of some options that a schema knows, checked and with its defaults. Throws OPTION_INVALID. */
export function parseOptions<S extends z.ZodObject>(schema: S, options: object): z.infer<S> {
  const result = schema.safeParse(options, { error: plainWords });
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new ClozeError("OPTION_INVALID", {
    problem: `the option ${path.join(".")} has a value that it cannot take`,
    received: message,
  });
}

/** Those of some options that a schema knows and that were given, checked. Throws OPTION_INVALID. */
export function parseGiven<S extends z.ZodObject>(schema: S, options: object): Partial<z.infer<S>> {
  const given = new Set(Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name])));
  const all: Record<string, unknown> = parseOptions(schema, options);
  return Object.fromEntries(Object.entries(all).filter(([name]) => given.has(name))) as Partial<z.infer<S>>;
}
