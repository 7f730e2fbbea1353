import { findAll, type JsonPath, parseJsonPath } from "#core/stages/verification/json-path.ts";
import type { MetricSource } from "#core/stages/verification/metric-source.ts";

const defaultTimeoutSeconds = 10;

/** Measures with what a URL answers. */
export const webMetric: MetricSource = async ({ provider }, { fetch, signal }) => {
  const web = provider.web;
  if (web === undefined) throw new Error("the metric says nothing of `web`");
  const { url, method = "GET", headers = [], body, jsonBody, jsonPath, insecure = false } = web;
  if (web.authentication?.sigv4 !== undefined) throw new Error("`authentication.sigv4` is not supported");
  if (web.authentication?.oauth2 !== undefined) throw new Error("`authentication.oauth2` is not supported");
  if (body !== undefined && jsonBody !== undefined)
    throw new Error("use either `body` or `jsonBody`, not both");
  const path = jsonPath === undefined ? undefined : parseJsonPath(jsonPath);
  const sent = new Headers(headers.map(({ key, value }) => [key, value]));
  if (jsonBody !== undefined && !sent.has("content-type")) sent.set("content-type", "application/json");

  const response = await fetch(url, {
    method,
    headers: sent,
    body: jsonBody === undefined ? body : JSON.stringify(jsonBody),
    signal,
    timeoutSeconds: web.timeoutSeconds ?? defaultTimeoutSeconds,
    insecureSkipTLSVerify: insecure,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`received non 2xx response code: ${response.status}`);
  const value = valueIn(text, path);
  return { value, text: JSON.stringify(value) ?? "" };
};

function valueIn(body: string, path: JsonPath | undefined): unknown {
  const value = parseBody(body, path !== undefined);
  if (path === undefined) return value;
  const [first] = find(path, value);
  if (first === undefined) throw new Error("result of web metric produced no value");
  return first;
}

/** Without a path an answer need not be JSON: its text is the value then. */
function parseBody(body: string, mustBeJson: boolean): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (!mustBeJson) return body;
    throw new Error(`could not parse JSON body: ${(error as Error).message}`, { cause: error });
  }
}

function find(path: JsonPath, value: unknown): unknown[] {
  try {
    return findAll(path, value);
  } catch (error) {
    throw new Error(`could not find JSONPath in body: ${(error as Error).message}`, { cause: error });
  }
}
