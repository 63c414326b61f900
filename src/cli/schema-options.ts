import { InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { commaSeparated } from "./options.ts";

/** What JSON Schema says of an option. */
const Property = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.string()).optional(),
  default: z.unknown().optional(),
  /** What alone the option is for. Default: everything. */
  onlyFor: z.enum(["training", "prediction"]).optional(),
});

/** What a command does with a model. */
type Use = "training" | "evaluation" | "prediction";

/** What becomes of defaults: they are set; or only told in the help; or the help says that they are the model's. */
type Defaults = "set" | "told" | "the model's";

/** The options of a schema on the command line that are of use there: `textColumn` becomes `--text-column <name>`. */
export function schemaOptions(schema: z.ZodObject, use: Use, defaults: Defaults = "told"): Option[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).flatMap(([name, json]) => {
    const property = Property.parse(json);
    if ((property.onlyFor ?? use) !== use) return [];
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const option = new Option(`${flag}${placeholder(property)}`, property.description);
    if (property.enum) option.choices(property.enum);
    else if (property.type !== "boolean") option.argParser((text) => parseValue(schema.shape[name], property, text));
    if (property.default === undefined || property.default === false) return option;
    if (defaults === "set") option.default(property.default, toldDefault(property.default));
    else option.description += ` (default: ${defaults === "told" ? toldDefault(property.default) : defaults})`;
    return option;
  });
}

function toldDefault(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : JSON.stringify(value);
}

function placeholder({ type, enum: choices }: z.infer<typeof Property>): string {
  if (choices) return " <what>";
  switch (type) {
    case "boolean":
      return "";
    case "integer":
      return " <n>";
    case "number":
      return " <x>";
    case "array":
      return " <a,b>";
    default:
      return " <name>";
  }
}

/** Throws InvalidArgumentError, which is a usage error, exit code 2. */
function parseValue(schema: z.core.$ZodType, { type }: z.infer<typeof Property>, text: string): unknown {
  const isNumber = type === "integer" || type === "number";
  if (isNumber && text.trim() === "") throw new InvalidArgumentError("Give a number.");
  const value = type === "array" ? commaSeparated(text) : isNumber ? Number(text) : text;
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  throw new InvalidArgumentError(`${result.error.issues[0].message}.`);
}

/** The options of several tasks on one command line. */
export interface MergedOptions {
  readonly all: readonly Option[];
  /** Throws OPTION_INVALID where an option was given that the task has no use for. */
  requireOwn(task: string, given: object): void;
}

/** Options of several tasks, each once, in the help under the task that alone has them. */
export function mergeOptions(byTask: Readonly<Record<string, readonly Option[]>>): MergedOptions {
  const options = new Map<string, { readonly option: Option; readonly tasks: string[] }>();
  for (const [task, own] of Object.entries(byTask)) {
    for (const option of own) {
      const known = options.get(option.attributeName());
      if (known === undefined) {
        options.set(option.attributeName(), { option, tasks: [task] });
      } else {
        known.tasks.push(task);
        const { description } = option;
        if (!known.option.description.includes(description)) known.option.description += `; ${task}: ${description}`;
      }
    }
  }
  for (const { option, tasks } of options.values()) {
    option.helpGroup(tasks.length === 1 ? `Options of ${tasks[0]}:` : "Options of several tasks:");
  }
  return {
    all: [...options.values()].map(({ option }) => option),
    requireOwn(task, given) {
      for (const [name, value] of Object.entries(given)) {
        const known = options.get(name);
        if (value === undefined || known === undefined || known.tasks.includes(task)) continue;
        throw new ClozeError("OPTION_INVALID", {
          problem: `the task ${task} has no ${known.option.long}`,
          expected: `an option of it, or another task: ${known.tasks.join(", ")}`,
        });
      }
    },
  };
}
