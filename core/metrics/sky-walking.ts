import { z } from "zod";
import { jsonOf, quoted } from "#core/metrics/answer.ts";
import { defineProvider } from "#core/metrics/provider.ts";
import { parseDuration } from "#core/resources/duration.ts";

const timeoutSeconds = 30;
const defaultInterval = "5m";

const Answer = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ message: z.string().default("") })).optional(),
});

/** Measures with the data of a GraphQL query, which is given the time to look at as `$duration`. */
export const skyWalking = defineProvider({
  summary: "Asks Apache SkyWalking.",
  config: z.strictObject({
    address: z.string().optional().describe("Address of the server."),
    query: z.string().optional().describe("GraphQL query; its `$duration` is the time to look at."),
    interval: z.string().optional().describe("How far back it looks; 5m by default."),
  }),

  problem({ address, query, interval = defaultInterval }) {
    if (!address || URL.parse(address)?.host === undefined)
      return "`skywalking.address` must be the server's URL";
    if (!query) return "`skywalking.query` must be given";
    return parseDuration(interval) === undefined ? `"${interval}" is no duration such as 5m` : undefined;
  },

  async measure({ address = "", query, interval = defaultInterval }, { fetch, signal, now }) {
    const end = now();
    const start = new Date(end.getTime() - (parseDuration(interval) ?? 0));
    const duration = { start: minuteOf(start), end: minuteOf(end), step: "MINUTE" };
    const response = await fetch(`${address.replace(/\/+$/, "")}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({ query, variables: { duration } }),
      signal,
      timeoutSeconds,
    });
    if (!response.ok) throw new Error(`SkyWalking answered ${await quoted(response)}`);
    const { data, errors = [] } = Answer.parse(await jsonOf(response, "SkyWalking"));
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("; "));
    if (data === undefined || data === null) throw new Error("no results returned from SkyWalking query");
    return { value: data, text: JSON.stringify(data) };
  },
});

/** As SkyWalking writes a minute: `2030-01-02 0304`, in the time of its server, which is UTC unless told otherwise. */
function minuteOf(date: Date): string {
  const [day = "", time = ""] = date.toISOString().split("T");
  return `${day} ${time.slice(0, 2)}${time.slice(3, 5)}`;
}
