import { createHmac } from "node:crypto";
import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { sameSecret } from "#server/auth/tokens.ts";
import type { WebhookAnswer, WebhookRequest } from "#server/webhooks/provider.ts";

/** A text of a payload; "" when it is missing, as platforms leave out much. */
export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

const paths = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

/** A part of a payload; where it is missing, all its fields are. */
export function part<T extends z.ZodRawShape>(fields: T) {
  return z.preprocess((value) => value ?? {}, z.object(fields));
}

/** What a commit changed, as GitHub, GitLab and Gitea tell it. */
export const Commit = z
  .object({ added: paths, modified: paths, removed: paths })
  .transform(({ added, modified, removed }) => [...added, ...modified, ...removed]);

/** A list of a payload; empty when it is missing. */
export function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}

/** The body as what it should be; 400 when it is not. */
export function readPayload<T extends z.ZodType>({ body }: WebhookRequest, schema: T): z.output<T> {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch (cause) {
    throw new UserError("invalid request body", { cause });
  }
}

/** Fails with 401 unless the header holds the HMAC-SHA-256 of the body under the receiver's secret. */
export function requireSignature(
  { headers, body, secret }: WebhookRequest,
  header: string,
  prefix: string,
): void {
  const signature = headers.get(header);
  if (!signature) throw new UserError("missing signature", { status: 401 });
  const expected = prefix + createHmac("sha256", secret).update(body).digest("hex");
  if (!sameSecret(signature, expected)) throw new UserError("unauthorized", { status: 401 });
}

/** Fails with 401 unless the header holds the receiver's secret itself. */
export function requireSecret({ headers, secret }: WebhookRequest, header: string): void {
  const shown = headers.get(header);
  if (!shown) throw new UserError("missing authorization", { status: 401 });
  if (!sameSecret(shown, secret)) throw new UserError("unauthorized", { status: 401 });
}

/** Answers an event that asks for nothing. */
export function nothingToDo(): WebhookAnswer {
  return { status: 200, body: {} };
}

export function pong(): WebhookAnswer {
  return { status: 200, body: { msg: "ping event received, webhook is configured correctly" } };
}

export function unsupportedEvent(event: string): UserError {
  return new UserError(`event type ${event} is not supported`);
}
