/** Writes the JSON Schemas and the declaration file beside this file anew: `npm run schemas`. */
import { mkdir, writeFile } from "node:fs/promises";
import { generateSchemas, schemaText } from "#core/resources/json-schemas.ts";
import { builtinSteps } from "#steps/index.ts";
import { scriptDeclaration } from "./script-declaration.ts";

const folder = import.meta.dirname;
await mkdir(folder, { recursive: true });
for (const [file, schema] of generateSchemas(builtinSteps)) {
  await writeFile(`${folder}/${file}`, schemaText(schema));
}
await writeFile(`${folder}/script.d.ts`, scriptDeclaration());
