import type { Scope } from "#core/expressions/expressions.ts";
import { Callable } from "#core/expressions/runtime/values.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";
import type { WebhookRequest } from "#server/webhooks/provider.ts";

/** What the expressions of a generic receiver can see: the request, the action's parameters, URL functions. */
export function requestScope(
  { headers, query }: WebhookRequest,
  body: unknown,
  params: Record<string, string>,
): Scope {
  // Members of `request` are called by names that no expression can write.
  const members = {
    header: (name: string) => headers.get(name) ?? "",
    headers: (name: string) => headers.get(name)?.split(", ") ?? [],
    params: (name: string) => query.get(name) ?? "",
  };
  const named = Object.entries(members).map(
    ([name, call]) => [`request ${name}`, textFunction(call)] as const,
  );
  const callables = Object.keys(members).map((name) => [name, callable(`request ${name}`)] as const);
  return {
    env: { params, request: { body, ...Object.fromEntries(callables) } },
    functions: {
      normalizeGit: textFunction(normalizeGitUrl),
      normalizeImage: textFunction(normalizeImageUrl),
      normalizeChart: textFunction(normalizeChartUrl),
      ...Object.fromEntries(named),
    },
  };
}

function textFunction(call: (text: string) => unknown) {
  return {
    minArgs: 1,
    maxArgs: 1,
    call([text]: readonly unknown[]) {
      if (typeof text !== "string") throw new Error(`expected a text, found ${JSON.stringify(text)}`);
      return call(text);
    },
  };
}

function callable(name: string): Callable {
  return new Callable(name, () => {
    throw new Error("only expressions can call it");
  });
}
