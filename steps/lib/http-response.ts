import type { HostFunctions } from "#core/expressions/expressions.ts";
import { Callable } from "#core/expressions/runtime/values.ts";
import { StepFailure } from "#core/failure.ts";
import { type Sight, withFloats } from "./evaluate.ts";
import { parseYaml } from "./yaml-value.ts";

/**
 * What expressions see of an answer: `response.status`, `response.body`, `response.headers` (lists by
 * name) and the function `response.header(name)`, which gives the first value or "".
 */
export async function sightOf(response: Response, contentTypeOverride: string | undefined): Promise<Sight> {
  const contentType =
    (contentTypeOverride ?? response.headers.get("content-type") ?? "").split(";", 1)[0] ?? "";
  const text = await response.text();
  const headerFunctionName = "response.header";
  const functions: HostFunctions = {
    [headerFunctionName]: {
      minArgs: 1,
      maxArgs: 1,
      call: ([name]) => headerValues(response.headers, String(name))[0] ?? "",
    },
  };
  const callHeader = new Callable(headerFunctionName, () => null);
  const headers = [...new Set(response.headers.keys())].map((name) => [
    canonicalName(name),
    headerValues(response.headers, name),
  ]);
  const env = {
    response: {
      status: response.status,
      header: callHeader,
      headers: Object.fromEntries(headers),
      body: text === "" ? {} : withFloats(bodyOf(text, contentType.trim().toLowerCase())),
    },
  };
  return { env, functions };
}

const yamlTypes = ["application/yaml", "text/yaml", "application/x-yaml"];

/** Unknown types are tried as JSON, and are an empty object when they are not. */
function bodyOf(text: string, contentType: string): unknown {
  if (contentType === "text/plain") return text;
  if (yamlTypes.includes(contentType)) return parseYaml(text, "the answer as YAML");
  try {
    return JSON.parse(text);
  } catch (error) {
    if (contentType !== "application/json") return {};
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure("errored", `Cannot parse the answer as JSON: ${why}`, { cause: error });
  }
}

function headerValues(headers: Headers, name: string): string[] {
  if (name.toLowerCase() === "set-cookie") return headers.getSetCookie();
  const value = /^[\w!#$%&'*+.^`|~-]+$/.test(name) ? headers.get(name) : null;
  return value === null ? [] : [value];
}

/** `content-type` as Go writes it: `Content-Type`. */
function canonicalName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
