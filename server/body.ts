import type { Context } from "hono";
import type { z } from "zod";
import { UserError } from "#core/failure.ts";

/** The JSON body, checked; fields that nobody asked for are dropped. 400 when it is not what was expected. */
export async function readJson<T extends z.ZodType>(c: Context, schema: T): Promise<z.output<T>> {
  const parsed = schema.safeParse(parse(await c.req.text()));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new UserError(problems.join("; "));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`the body is not JSON: ${(error as Error).message}`);
  }
}
