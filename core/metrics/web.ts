import { z } from "zod";
import { Authentication, authenticated, Header } from "#core/metrics/authentication.ts";
import { findAll, type JsonPath, parseJsonPath } from "#core/metrics/json-path.ts";
import { defineProvider } from "#core/metrics/provider.ts";

const defaultTimeoutSeconds = 10;

/** Asks a URL for JSON and measures with what it answers. */
export const WebMetric = z.strictObject({
  url: z.string().describe("Address to ask."),
  method: z.enum(["GET", "POST", "PUT"]).optional().describe("HTTP method; GET by default."),
  headers: z.array(Header).optional().describe("Headers of the request."),
  body: z.string().optional().describe("Body of a POST or PUT. Give this or jsonBody."),
  jsonBody: z.unknown().optional().describe("Body of a POST or PUT, as JSON."),
  timeoutSeconds: z.int().optional().describe("Seconds until the request is given up; 10 by default."),
  jsonPath: z.string().optional().describe("JSONPath of the value in the answer, as `{$.data.ok}`."),
  insecure: z.boolean().optional().describe("Accept any certificate."),
  authentication: Authentication.optional(),
});
export type WebMetric = z.infer<typeof WebMetric>;

export const web = defineProvider({
  summary: "Asks a URL.",
  config: WebMetric,

  problem({ method = "GET", body, jsonBody }) {
    if (body && jsonBody !== undefined) return "use either `body` or `jsonBody`, not both";
    if ((body || jsonBody !== undefined) && method === "GET")
      return "`body` and `jsonBody` need the method POST or PUT";
    return undefined;
  },

  async measure(config, context) {
    const { url, method = "GET", headers = [], body, jsonBody, jsonPath, insecure = false } = config;
    const path = jsonPath ? parseJsonPath(jsonPath) : undefined;
    const sent = new Headers(headers.map(({ key, value }) => [key, value]));
    if (jsonBody !== undefined) sent.set("content-type", "application/json");

    const fetch = await authenticated(config.authentication, context);
    const response = await fetch(url, {
      method,
      headers: sent,
      body: jsonBody === undefined ? body || undefined : JSON.stringify(jsonBody),
      signal: context.signal,
      timeoutSeconds: config.timeoutSeconds || defaultTimeoutSeconds,
      insecureSkipTLSVerify: insecure,
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`received non 2xx response code: ${response.status}`);
    return valueIn(answer, path);
  },
});

/** Without a path an answer need not be JSON: its text is the value then. */
function valueIn(body: string, path: JsonPath | undefined): { value: unknown; text: string } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    if (path === undefined) return { value: body, text: body };
    throw new Error(`could not parse JSON body: ${(error as Error).message}`, { cause: error });
  }
  if (path === undefined) return { value, text: JSON.stringify(value) };
  const [first] = find(path, value);
  if (first === undefined) throw new Error("result of web metric produced no value");
  return { value: first, text: JSON.stringify(first) };
}

function find(path: JsonPath, value: unknown): unknown[] {
  try {
    return findAll(path, value);
  } catch (error) {
    throw new Error(`could not find JSONPath in body: ${(error as Error).message}`, { cause: error });
  }
}
