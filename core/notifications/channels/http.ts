import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { type Carry, type ChannelContext, DeliveryFailure } from "#core/notifications/channels/channel.ts";
import { parseContent } from "#core/notifications/channels/content.ts";
import { statusFailure } from "#core/notifications/channels/refusal.ts";
import type { MessageContent } from "#core/notifications/message.ts";
import { parseDuration } from "#core/resources/duration.ts";
import { type MessageChannelSpec, requestAnnotation } from "#core/resources/message-channel.ts";

const Texts = z.record(z.string(), z.string());

/** What an encoded message may say of its request; each goes before what the channel says, if it may. */
const HttpContent = z.object({
  body: z.unknown().optional(),
  headers: Texts.optional(),
  method: z
    .string()
    .toUpperCase()
    .pipe(z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]))
    .optional(),
  url: z.string().optional(),
  queryParams: Texts.optional(),
  successExpression: z.string().optional(),
  failureExpression: z.string().optional(),
});
type HttpContent = z.infer<typeof HttpContent>;

/** Calls an address. The Secret's `authorization` or `bearerToken` proves who calls. */
export const carryByHttp: Carry<NonNullable<MessageChannelSpec["http"]>> = async (spec, message, context) => {
  const content = httpContent(message.content);
  if (!context.mayChangeRequest) refuseChanges(content);
  const url = urlOf(content.url ?? spec.url);
  // A message that goes elsewhere takes nothing of the channel's own with it: keys may be among that.
  const isElsewhere = url.origin !== urlOf(spec.url).origin;
  const { headers: ownHeaders = [], queryParams: ownParameters = [] } = isElsewhere ? {} : spec;
  for (const { name, value } of ownParameters) url.searchParams.set(name, value);
  for (const [name, value] of Object.entries(content.queryParams ?? {})) url.searchParams.set(name, value);
  const headers = new Headers(ownHeaders.map(({ name, value }) => [name, value]));
  const { authorization, bearerToken } = context.secret;
  if (!isElsewhere && (authorization || bearerToken)) {
    headers.set("authorization", authorization || `Bearer ${bearerToken}`);
  }
  for (const [name, value] of Object.entries(content.headers ?? {})) headers.set(name, value);
  headers.set("idempotency-key", message.id);
  headers.set("x-towpath-delivery", message.id);
  const { body } = content;
  if (body !== undefined && !headers.has("content-type")) {
    headers.set("content-type", typeof body === "string" ? "text/plain; charset=utf-8" : "application/json");
  }

  const method = content.method ?? spec.method;
  const response = await context.fetch(url, {
    method,
    headers,
    ...(body === undefined || method === "GET"
      ? {}
      : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    signal: context.signal,
    timeoutSeconds: (parseDuration(spec.timeout) ?? 10_000) / 1000,
    insecureSkipTLSVerify: spec.insecureSkipTLSVerify,
  });
  await judge(response, `${method} ${url.origin}${url.pathname}`, { ...spec, ...given(content) }, context);
  return {};
};

function httpContent(content: MessageContent): HttpContent {
  return typeof content === "string"
    ? { body: content }
    : parseContent("an HTTP request", HttpContent, content);
}

/** Of what is called: a body and how the answer is judged are left to the message. */
function refuseChanges(content: HttpContent): void {
  const changed = (["url", "method", "headers", "queryParams"] as const).filter(
    (field) => content[field] !== undefined,
  );
  if (changed.length === 0) return;
  throw new DeliveryFailure(
    `The message sets ${changed.join(", ")}, and requests of a ClusterMessageChannel are as the channel has them: use a MessageChannel, or annotate the channel with ${requestAnnotation}: messages`,
    { permanent: true },
  );
}

function given({ successExpression, failureExpression }: HttpContent) {
  return {
    ...(successExpression ? { successExpression } : {}),
    ...(failureExpression ? { failureExpression } : {}),
  };
}

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url !== null) return url;
  throw new DeliveryFailure(`Cannot call "${text}": it is no URL`, { permanent: true });
}

/** Throws unless the answer is a success. Of 429 neither expression is asked: it means "later". */
async function judge(
  response: Response,
  what: string,
  { successExpression, failureExpression }: { successExpression?: string; failureExpression?: string },
  { expressions }: ChannelContext,
): Promise<void> {
  const text = await response.text();
  const { status } = response;
  const told = `${what} answered ${status}`;
  if (status === 429) throw statusFailure(told, response);
  const env = {
    response: { status, headers: Object.fromEntries(response.headers), body: bodyOf(response, text) },
  };
  const holds = async (expression: string): Promise<boolean> => {
    const value = await expressions.evaluate(expression, { env, functions: {} }).catch((error: Error) => {
      throw new DeliveryFailure(`Cannot evaluate "${expression}": ${error.message}`, { permanent: true });
    });
    return value === true;
  };
  if (failureExpression && (await holds(failureExpression))) {
    throw statusFailure(`${told}, which "${failureExpression}" calls a failure`, response);
  }
  if (successExpression ? await holds(successExpression) : response.ok) return;
  const why = successExpression ? `, which "${successExpression}" does not call a success` : "";
  throw statusFailure(`${told}${why}${!why && text ? `: ${text.slice(0, 300)}` : ""}`, response);
}

/** As its content type says; its text where that says nothing, or lies. */
function bodyOf({ headers }: Response, text: string): unknown {
  const type = headers.get("content-type") ?? "";
  try {
    if (/\bjson\b/i.test(type)) return JSON.parse(text);
    if (/\byaml\b/i.test(type)) return parseYaml(text, { maxAliasCount: 100 });
  } catch {
    return text;
  }
  return text;
}
