import { defineStep, StepFailure, succeeded, waiting, z } from "towpath/step";

export default defineStep({
  name: "wait-for-url",
  summary: "Waits until a URL answers with the expected status.",
  notes: "Gives up at once on 401 and 403: waiting cannot cure a missing permission.",
  config: z.strictObject({
    url: z.url().describe("Address to ask."),
    status: z.int().min(100).max(599).default(200).describe("Status to wait for."),
    everySeconds: z.int().min(1).default(10).describe("Pause between two tries."),
  }),
  output: z.object({
    answeredAt: z.string().describe("When the expected status came; RFC 3339."),
  }),
  examples: [
    {
      title: "Wait for the test environment",
      yaml: `
        uses: wait-for-url
        config:
          url: https://test.example.com/ready`,
    },
  ],

  async run({ url, status, everySeconds }, ctx) {
    const response = await ctx.fetch(url, { signal: ctx.signal });
    if (response.status === status) return succeeded({ answeredAt: ctx.now().toISOString() });
    if (response.status === 401 || response.status === 403) {
      throw new StepFailure("refused", `Cannot wait for "${url}": the server answered ${response.status}`);
    }
    return waiting(`"${url}" answered ${response.status}, waiting for ${status}`, everySeconds);
  },
});
