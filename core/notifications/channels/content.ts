import type { z } from "zod";
import { DeliveryFailure } from "#core/notifications/channels/channel.ts";

/** Reads what an encoded message holds. Throws a DeliveryFailure that names what is wrong with it. */
export function parseContent<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  content: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`);
  throw new DeliveryFailure(`The message cannot be ${what}: ${problems.join("; ")}`, { permanent: true });
}
