import { z } from "zod";
import { annotatedValues } from "#core/metrics/annotated-csv.ts";
import { quoted } from "#core/metrics/answer.ts";
import { defineProvider } from "#core/metrics/provider.ts";

const defaultSecret = "influxdb";
const timeoutSeconds = 30;

/** Measures with the `_value` of every record of a Flux query: a list. */
export const influxdb = defineProvider({
  summary: "Asks InfluxDB.",
  config: z.strictObject({
    profile: z
      .string()
      .optional()
      .describe("Secret with `address`, `authToken` and `org`; `influxdb` by default."),
    query: z.string().optional().describe("Flux query."),
  }),

  problem: ({ query }) => (query ? undefined : "`influxdb.query` must be given"),

  async measure({ profile, query }, { fetch, signal, secret }) {
    const name = profile || defaultSecret;
    const { address, authToken, org } = (await secret(name, { plain: ["address", "org"] })) ?? {};
    if (!address || !authToken || !org) {
      throw new Error(
        `Cannot ask InfluxDB: there is no Secret "${name}" with \`address\`, \`authToken\` and \`org\` in the project or the shared resources`,
      );
    }
    const dialect = {
      header: true,
      delimiter: ",",
      commentPrefix: "#",
      annotations: ["datatype", "group", "default"],
    };
    const response = await fetch(
      `${address.replace(/\/+$/, "")}/api/v2/query?${new URLSearchParams({ org })}`,
      {
        method: "POST",
        headers: {
          authorization: `Token ${authToken}`,
          "content-type": "application/json",
          accept: "application/csv",
        },
        body: JSON.stringify({ query, type: "flux", dialect }),
        signal,
        timeoutSeconds,
      },
    );
    if (!response.ok) throw new Error(`InfluxDB answered ${await quoted(response)}`);
    const value = annotatedValues(await response.text());
    if (value.length === 0) throw new Error("no results returned from flux query");
    return { value, text: `[${value.join(" ")}]` };
  },
});
