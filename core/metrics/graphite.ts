import { z } from "zod";
import { jsonOf, quoted } from "#core/metrics/answer.ts";
import { defineProvider } from "#core/metrics/provider.ts";

const timeoutSeconds = 10;

const Amount = z.union([z.number(), z.string()]).nullable();
/** The values of each target, each with its moment. */
const Answer = z.array(z.object({ datapoints: z.array(z.tuple([Amount, Amount])).default([]) }));

/** Measures with the values of the first target: a list of numbers, without those that are not there. */
export const graphite = defineProvider({
  summary: "Asks Graphite.",
  config: z.strictObject({
    address: z.string().optional().describe("Address of the server."),
    query: z.string().optional().describe("Parameters of the render API, as `target=…&from=-5min`."),
  }),

  problem({ address, query }) {
    if (!address || URL.parse(address)?.host === undefined)
      return "`graphite.address` must be the server's URL";
    return query ? undefined : "`graphite.query` must be given";
  },

  async measure({ address = "", query = "" }, { fetch, signal }) {
    const parameters = new URLSearchParams(query.replace(/\s+/g, ""));
    parameters.set("format", "json");
    const response = await fetch(`${address.replace(/\/+$/, "")}/render?${parameters}`, {
      signal,
      timeoutSeconds,
    });
    if (response.status >= 400) throw new Error(`error response: ${await quoted(response)}`);
    const [target] = Answer.parse(await jsonOf(response, "Graphite"));
    if (!target?.datapoints.length) throw new Error("no values found");
    const value = target.datapoints.flatMap(([one]) => (one === null ? [] : [Number(one)]));
    return { value, text: `[${value.map((one) => one.toFixed(6)).join(",")}]` };
  },
});
