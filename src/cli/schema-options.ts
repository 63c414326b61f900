import { InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { wantedBy } from "../base/plain-words.ts";
import { commaSeparated } from "./options.ts";

/** What JSON Schema says of an option. */
const Property = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.string()).optional(),
  default: z.unknown().optional(),
  /** How training finds a value where none is given. */
  trainingDefault: z.string().optional(),
  /** What alone the option is for. Default: everything. What only the folder keeps is no option of the command line. */
  onlyFor: z.enum(["training", "prediction", "the folder"]).optional(),
});

/** What a command does with a model. */
type Use = "training" | "evaluation" | "prediction";

/** What becomes of defaults: they are set; or only told in the help; or the help says that they are the model's. */
type Defaults = "set" | "told" | "the model's";

/**
 * The options of a schema on the command line that are of use there: `textColumn` becomes `--text-column <name>`. What a model
 * has switched on can be switched off.
 */
export function schemaOptions(schema: z.ZodObject, use: Use, defaults: Defaults = "told"): Option[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).flatMap(([name, json]) => {
    const property = Property.parse(json);
    if ((property.onlyFor ?? use) !== use) return [];
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const option = new Option(`${flag}${placeholder(property)}`, property.description);
    const isSwitch = property.type === "boolean";
    if (property.enum) option.choices(property.enum);
    else if (!isSwitch) option.argParser((text) => parseValue(schema.shape[name], property, text));
    const told = toldDefault(property);
    if (defaults === "set" && property.trainingDefault === undefined && told !== undefined) {
      return option.default(property.default, told);
    }
    if (defaults === "the model's") option.description += " (default: the model's)";
    else if (told !== undefined) option.description += ` (default: ${told})`;
    const isModels = isSwitch && defaults === "the model's";
    return isModels ? [option, new Option(`--no-${flag.slice(2)}`, `the opposite of ${flag}`)] : option;
  });
}

function toldDefault({ default: value, trainingDefault }: z.infer<typeof Property>): string | undefined {
  if (trainingDefault !== undefined) return trainingDefault;
  if (value === undefined || value === false) return undefined;
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
  const result = z.safeParse(schema, value, { error: toGive });
  if (result.success) return result.data;
  throw new InvalidArgumentError(`${result.error.issues[0].message}.`);
}

function toGive(issue: z.core.$ZodRawIssue): string | undefined {
  const wanted = wantedBy(issue);
  return wanted === undefined ? undefined : `Give ${wanted}`;
}

/** The options of several tasks on one command line. */
export interface MergedOptions {
  readonly all: readonly Option[];
  /** Throws OPTION_INVALID where an option was given that the task, in messages `called` so, has no use for. */
  requireOwn(task: string, given: object, called?: string): void;
}

/** Options of several tasks, each once, in the help under the task that alone has them. */
export function mergeOptions(byTask: Readonly<Record<string, readonly Option[]>>): MergedOptions {
  const options = new Map<string, { readonly option: Option; readonly tasks: string[] }>();
  for (const [task, own] of Object.entries(byTask)) {
    for (const option of own) {
      const known = options.get(option.name());
      if (known === undefined) {
        options.set(option.name(), { option, tasks: [task] });
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
    requireOwn(task, given, called = `the task ${task}`) {
      const values = new Map<string, unknown>(Object.entries(given));
      for (const { option, tasks } of options.values()) {
        if (values.get(option.attributeName()) === undefined || tasks.includes(task)) continue;
        throw new ClozeError("OPTION_INVALID", {
          problem: `${called} has no ${option.long}`,
          expected: `an option of its own; this one is for ${tasks.join(", ")}`,
        });
      }
    },
  };
}
