import type { z } from "zod";
import { quote } from "./quote.ts";

/** What zod calls the kinds of values. */
const KINDS = new Map<string, string>([
  ["string", "text"],
  ["number", "a number"],
  ["int", "a whole number"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "an object"],
  ["record", "an object"],
]);

/** What a schema of zod wanted where a value was at fault: "a number", "at least 1". Undefined where it is hard to say. */
export function wantedBy(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return KINDS.get(issue.expected);
    case "invalid_value":
      return issue.values.map((value) => (typeof value === "string" ? quote(value) : String(value))).join(" or ");
    case "too_small":
      return `${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `${issue.inclusive ? "at most" : "less than"} ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return undefined;
  }
}

/** For zod's `error`: says what there was, and what was wanted, where a schema has no words of its own for a fault. */
export function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  const wanted = wantedBy(issue);
  return wanted === undefined ? undefined : `${shown(issue.input)} rather than ${wanted}`;
}

function unitOf(origin: string): string {
  return origin === "string" ? " characters" : origin === "array" ? " entries" : "";
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

/** What is wrong with a value, field by field, as messages show it. */
export function faultsOf({ issues }: z.ZodError, most = Number.POSITIVE_INFINITY): string {
  const shown = issues.slice(0, most).map(({ path, message }) => `${path.join(".") || "file"}: ${message}`);
  return shown.join("; ");
}
