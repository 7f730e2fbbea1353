import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import type { Fetch } from "#core/step.ts";

export interface ApiRequest {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Record<string, string | number>;
  body?: unknown;
}

/** What an API answered. */
export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Speaks JSON to one API. */
export interface ApiClient {
  /** Any answer below 500 but 429; the others, and the network's failures, are thrown. */
  ask(url: string, headers: Record<string, string>, request?: ApiRequest): Promise<ApiAnswer>;
  /** The password of the repository's credentials; undefined without any. */
  token: string | undefined;
}

/** An answer that is not one of success. `answer` tells what the server said. */
export class ApiRefusal extends StepFailure {
  readonly answer: ApiAnswer;

  constructor(what: string, answer: ApiAnswer) {
    const kind = answer.status === 401 || answer.status === 403 ? "refused" : "errored";
    super(kind, `Cannot ${what}: the server answered ${answer.status}${saidBy(answer)}`);
    this.name = "ApiRefusal";
    this.answer = answer;
  }
}

export function createApiClient(
  fetch: Fetch,
  token: string | undefined,
  insecureSkipTLSVerify: boolean,
): ApiClient {
  return {
    token,
    async ask(url, headers, { method = "GET", query = {}, body } = {}) {
      const address = new URL(url);
      for (const [name, value] of Object.entries(query)) address.searchParams.append(name, String(value));
      const response = await fetch(address, {
        method,
        headers: {
          Accept: "application/json",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        insecureSkipTLSVerify,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = { status: response.status, headers: response.headers, body: await readJson(response) };
      if (answer.status === 429 || answer.status >= 500) {
        const subject = `${method} "${address.origin}${address.pathname}"`;
        throw new StepFailure(
          "transient",
          `Cannot ${subject}: the server answered ${answer.status}${saidBy(answer)}`,
        );
      }
      return answer;
    },
  };
}

/** The answer's body as the schema reads it. Throws when the answer is none of success, or of another shape. */
export function read<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  answer: ApiAnswer,
): z.output<Schema> {
  if (answer.status < 200 || answer.status > 299) throw new ApiRefusal(what, answer);
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StepFailure(
    "errored",
    `Cannot ${what}: the server's answer is odd (${issue?.path.join(".")}: ${issue?.message})`,
  );
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const maxCharacters = 500;

const Complaint = z.object({
  message: z.unknown().optional(),
  error: z.unknown().optional(),
  errors: z.unknown().optional(),
});

/** The server's own words, where it has some. */
function saidBy({ body }: ApiAnswer): string {
  const parsed = Complaint.safeParse(body);
  if (!parsed.success) return "";
  const { message, error, errors } = parsed.data;
  const words = [message, error, errors]
    .filter(Boolean)
    .map((part) => (typeof part === "string" ? part : JSON.stringify(part)));
  return words.length === 0 ? "" : ` (${words.join("; ").slice(0, maxCharacters)})`;
}
