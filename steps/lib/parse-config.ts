import { z } from "zod";
import { extractions } from "./evaluate.ts";

/** Configuration that the steps which read values from a file have in common. */
export function parseConfig(format: string) {
  return z.strictObject({
    path: z.string().min(1).describe(`Path of the ${format} file, in the workspace.`),
    outputs: extractions.min(1).describe("The values to take out of the file."),
  });
}
