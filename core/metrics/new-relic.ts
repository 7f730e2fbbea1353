import { z } from "zod";
import { jsonOf, quoted } from "#core/metrics/answer.ts";
import { defineProvider, type MetricContext } from "#core/metrics/provider.ts";

const defaultSecret = "newrelic";
const defaultTimeoutSeconds = 5;
/** What the request may take beside the query itself. */
const spareSeconds = 25;
const addresses: Readonly<Record<string, string>> = {
  us: "https://api.newrelic.com/graphql",
  eu: "https://api.eu.newrelic.com/graphql",
};

const nerdGraph = `query ($query: Nrql!, $accountId: Int!, $timeout: Seconds!) {
  actor { account(id: $accountId) { nrql(query: $query, timeout: $timeout) { results } } }
}`;

const Answer = z.object({
  errors: z.array(z.object({ message: z.string().default("") })).optional(),
  data: z
    .object({
      actor: z.object({
        account: z.object({
          nrql: z.object({ results: z.array(z.record(z.string(), z.unknown())).nullable() }).nullable(),
        }),
      }),
    })
    .nullish(),
});

/** Measures with what an NRQL query gives: one row as an object, several as a list of them. */
export const newRelic = defineProvider({
  summary: "Asks New Relic.",
  config: z.strictObject({
    profile: z
      .string()
      .optional()
      .describe("Secret with `personal-api-key`, `account-id` and perhaps `region`; `newrelic` by default."),
    query: z.string().describe("NRQL query."),
    timeout: z.int().optional().describe("Seconds that the query may take; 5 by default."),
  }),

  problem: ({ timeout = 0 }) => (timeout < 0 ? "`newRelic.timeout` must not be negative" : undefined),

  resultMetadata: ({ query }) => ({ ResolvedNewRelicQuery: query }),

  async measure({ profile, query, timeout = defaultTimeoutSeconds }, context) {
    const { address, key, accountId } = await credentialsOf(profile || defaultSecret, context);
    const response = await context.fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json", "api-key": key },
      body: JSON.stringify({ query: nerdGraph, variables: { accountId, query, timeout } }),
      signal: context.signal,
      timeoutSeconds: timeout + spareSeconds,
    });
    if (!response.ok) throw new Error(`New Relic answered ${await quoted(response)}`);
    const { errors = [], data } = Answer.parse(await jsonOf(response, "New Relic"));
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("; "));
    const results = data?.actor.account.nrql?.results ?? [];
    const [first] = results;
    if (first === undefined || (results.length === 1 && Object.keys(first).length === 0)) {
      throw new Error("no results returned from NRQL query");
    }
    const value = results.length === 1 ? first : results;
    return { value, text: JSON.stringify(value) };
  },
});

async function credentialsOf(
  profile: string,
  { secret }: MetricContext,
): Promise<{ address: string; key: string; accountId: number }> {
  const found = await secret(profile, {
    plain: ["account-id", "region", "base-url-rest", "base-url-nerdgraph"],
  });
  const { "personal-api-key": key, "account-id": account, region = "us" } = found ?? {};
  if (!key || !account) {
    throw new Error(
      `Cannot ask New Relic: there is no Secret "${profile}" with \`personal-api-key\` and \`account-id\` in the project or the shared resources`,
    );
  }
  const accountId = Number(account);
  if (!Number.isInteger(accountId)) throw new Error(`Secret "${profile}": \`account-id\` is no whole number`);
  const address = found?.["base-url-nerdgraph"] || addresses[region.toLowerCase()];
  if (address === undefined)
    throw new Error(`Secret "${profile}": \`region\` must be us or eu, and is "${region}"`);
  return { address, key, accountId };
}
