import { z } from "zod";
import { ScriptContext } from "#core/script-context.ts";

interface JsonSchema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
}

/** The declaration file of a script's context, for editors: `import type { ScriptContext } from "towpath/script"`. */
export function scriptDeclaration(): string {
  const schema = z.toJSONSchema(ScriptContext, { io: "output", unrepresentable: "any" }) as JsonSchema;
  const { config, ...others } = schema.properties ?? {};
  const fields = members({ ...schema, properties: others }, "  ");
  return `// Made from core/script-context.ts by \`npm run schemas\`: change that.

/** What a script of the step \`script\` is called with. */
export interface ScriptContext<Config = Record<string, any>> {
  /** ${config?.description} */
  config: Config;
${fields}
  /** Ends the step as Failed, for good; anything else that is thrown may be tried again. */
  fail(message: string): never;
}

/** The default export of a script. What it returns is the step's output: an object, or what becomes its \`output\`. */
export type Script<Config = Record<string, any>> = (context: ScriptContext<Config>) => unknown;
`;
}

function members({ properties = {}, required = [] }: JsonSchema, indent: string): string {
  return Object.entries(properties)
    .flatMap(([name, schema]) => [
      ...(schema.description ? [`${indent}/** ${schema.description} */`] : []),
      `${indent}${name}${required.includes(name) ? "" : "?"}: ${typeText(schema, indent)};`,
    ])
    .join("\n");
}

function typeText(schema: JsonSchema, indent: string): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  switch (schema.type) {
    case "string":
    case "boolean":
      return schema.type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return `Array<${schema.items ? typeText(schema.items, indent) : "any"}>`;
    case "object":
      if (schema.properties) return `{\n${members(schema, `${indent}  `)}\n${indent}}`;
      return `Record<string, ${typeof schema.additionalProperties === "object" ? typeText(schema.additionalProperties, indent) : "any"}>`;
    default:
      return "any";
  }
}
