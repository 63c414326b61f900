import { InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { commaSeparated } from "./options.ts";

/** What JSON Schema says of an option. */
const Property = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.string()).optional(),
  default: z.unknown().optional(),
});

/** The options of a schema on the command line: `textColumn` becomes `--text-column <name>`. */
export function schemaOptions(schema: z.ZodObject): Option[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, json]) => {
    const property = Property.parse(json);
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const option = new Option(`${flag}${placeholder(property)}`, property.description);
    if (property.enum) option.choices(property.enum);
    else if (property.type !== "boolean") option.argParser((text) => parseValue(schema.shape[name], property, text));
    if (property.default !== undefined && property.default !== false) option.default(property.default);
    return option;
  });
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
  const value = type === "array" ? commaSeparated(text) : type === "integer" || type === "number" ? Number(text) : text;
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  throw new InvalidArgumentError(`${result.error.issues[0].message}.`);
}
