import { describe, expect, test } from "vitest";
import { z } from "zod";
import { plainWords } from "./plain-words.ts";

const said = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value, { error: plainWords }).error?.issues.map(({ message }) => message);

describe("plainWords", () => {
  test.each<[z.ZodType, unknown, string]>([
    [z.number(), "0", '"0" rather than a number'],
    [z.int(), 1.5, "1.5 rather than a whole number"],
    [z.string(), undefined, "nothing rather than text"],
    [z.string(), null, "null rather than text"],
    [z.string(), ["a"], "a list rather than text"],
    [z.array(z.string()), {}, "an object rather than a list"],
    [z.int().min(1), 0, "0 rather than at least 1"],
    [z.number().positive(), 0, "0 rather than more than 0"],
    [z.number().max(1), 2, "2 rather than at most 1"],
    [z.array(z.string()).min(2), ["a"], "a list rather than at least 2 entries"],
    [z.enum(["a", "b"]), "c", '"c" rather than "a" or "b"'],
  ])("%# says what there was and what was wanted", (schema, value, message) => {
    expect(said(schema, value)).toEqual([message]);
  });

  test("leaves a schema its own words", () => {
    expect(said(z.number({ error: "no number" }), "a")).toEqual(["no number"]);
    expect(said(z.string().regex(/^a/, "begins with a"), "b")).toEqual(["begins with a"]);
  });
});
