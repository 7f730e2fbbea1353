import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep, type Outcome, type StepContext, succeeded, waiting } from "#core/step.ts";
import { oneOf } from "#steps/lib/one-of.ts";
import { evaluate, extract, extractedOutput, extractions, type Sight } from "./lib/evaluate.ts";
import {
  badStatus,
  durationText,
  headersField,
  headersOf,
  queryParamsField,
  secondsOf,
  withQuery,
} from "./lib/http-request.ts";
import { sightOf } from "./lib/http-response.ts";

const maxBodyBytes = 2 * 1024 * 1024;

const config = z
  .strictObject({
    method: z.enum(["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]).default("GET").describe("The method."),
    url: z.string().min(1).describe("The URL to ask."),
    headers: headersField.optional().describe("Headers to send."),
    queryParams: queryParamsField.optional().describe("Parameters to add to the URL's query."),
    body: z
      .string()
      .optional()
      .describe("The body to send. Use `quote()` around an expression that makes JSON."),
    bodyFromFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        "A file of the workspace whose content is the body, of at most 2 MiB. Not together with `body`.",
      ),
    insecureSkipTLSVerify: z.boolean().default(false).describe("Do not check the server's certificate."),
    proxy: z
      .string()
      .regex(/^https?:\/\/.*$/, "must begin with http:// or https://")
      .optional()
      .describe("URL of a proxy to send the request through."),
    timeout: durationText.default("10s").describe("How long one request may take, answer included."),
    pollInterval: durationText
      .default("30s")
      .describe("How long to wait before asking again while neither success nor failure is reached."),
    responseContentType: z
      .enum(["application/json", "application/yaml", "text/plain"])
      .optional()
      .describe("How to read the answer, whatever its Content-Type says."),
    outputs: extractions.optional().describe("Values to take out of the answer, `response`."),
    successExpression: z
      .string()
      .optional()
      .describe("Expression over `response`, without `${{ }}`: the step succeeds when it is true."),
    failureExpression: z
      .string()
      .optional()
      .describe("Expression over `response`: the step fails for good when it is true. It wins over success."),
    errorExpression: z
      .string()
      .optional()
      .describe("Expression over `response` that gives a message when the failure expression is true."),
  })
  .refine(
    ({ body, bodyFromFile }) => !body || !bodyFromFile,
    oneOf("body and bodyFromFile exclude one another"),
  );

type Config = z.output<typeof config>;

export default defineStep({
  name: "http",
  summary: "Sends an HTTP request and judges the answer.",
  notes: [
    "Without `successExpression` and `failureExpression` an answer of 2xx is a success and any other a failure " +
      "that may be tried again. With at least one of them the step asks again, every `pollInterval`, until one " +
      "is true.",
    "Expressions see `response.status`, `response.body`, `response.headers` (a list for each name) and " +
      "`response.header('Name')`. Bodies of JSON, YAML and plain text are read by their Content-Type; others " +
      "are tried as JSON, and are an empty object when they are not. Answers are at most 2 MiB.",
    "Loopback, private and other special addresses are reached only where the operator has opened them, " +
      "at every hop of a redirect; credentials are not sent along to another host.",
  ].join("\n\n"),
  config,
  output: extractedOutput,
  examples: [
    {
      title: "Ask until a deployment is ready",
      yaml: `
        uses: http
        as: ready
        config:
          url: https://test.example.com/health
          successExpression: response.status == 200 && response.body.ready
          failureExpression: response.status == 404
          outputs:
          - name: version
            fromExpression: response.body.version`,
    },
    {
      title: "Post a message",
      yaml: `
        uses: http
        config:
          method: POST
          url: https://hooks.example.com/services/T000/B000
          headers:
          - name: Content-Type
            value: application/json
          body: |-
            \${{ quote({ "text": "deployed to " + ctx.stage }) }}`,
    },
  ],

  async run(config, ctx) {
    const response = await send(config, ctx);
    const sight = await sightOf(response, config.responseContentType);
    const success = await criterion("success expression", config.successExpression, sight);
    const failure = await criterion("failure expression", config.failureExpression, sight);
    if (failure) throw await failureOf(config, response.status, sight);
    const isOk = success ?? (failure === undefined && response.ok);
    if (isOk) return succeeded(await extract(config.outputs ?? [], sight));
    if (success === undefined && failure === undefined)
      throw badStatus(config.url, config.method, response.status);
    return askAgain(config, response.status);
  },
});

async function send(config: Config, ctx: StepContext): Promise<Response> {
  return await ctx.fetch(withQuery(config.url, config.queryParams), {
    method: config.method,
    headers: headersOf(config.headers),
    body: (await bodyOf(config, ctx)) ?? null,
    // As in Go, no duration at all means no limit; a day stands for that.
    timeoutSeconds: secondsOf(config.timeout, "timeout") || 86_400,
    maxBodyBytes,
    insecureSkipTLSVerify: config.insecureSkipTLSVerify,
    proxy: config.proxy || undefined,
    signal: ctx.signal,
  });
}

async function bodyOf({ body, bodyFromFile }: Config, ctx: StepContext) {
  if (!bodyFromFile) return body || undefined;
  const bytes = await ctx.workspace.readBytes(bodyFromFile).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure("refused", `Cannot send bodyFromFile: ${why}`, { cause: error });
  });
  if (bytes.length <= maxBodyBytes) return new Uint8Array(bytes);
  throw new StepFailure(
    "refused",
    `Cannot send bodyFromFile "${bodyFromFile}": it is longer than ${maxBodyBytes} bytes`,
  );
}

/** Undefined where no expression is given. */
async function criterion(
  what: string,
  expression: string | undefined,
  sight: Sight,
): Promise<boolean | undefined> {
  if (!expression) return undefined;
  const value = await evaluate(`the ${what}`, expression, sight);
  if (typeof value === "boolean") return value;
  throw new StepFailure("errored", `Cannot use the ${what} "${expression}": its value is not a boolean`);
}

async function failureOf({ errorExpression }: Config, status: number, sight: Sight): Promise<StepFailure> {
  const plain = `HTTP (${status}) response met failure criteria`;
  if (!errorExpression) return new StepFailure("failed", plain);
  try {
    const message = await evaluate("the error expression", errorExpression, sight);
    const text = typeof message === "string" ? message : "";
    return new StepFailure("failed", text === "" ? plain : `${plain}: ${JSON.stringify(text)}`);
  } catch (error) {
    // An answer of another shape than expected must not hide that the step failed.
    if (error instanceof StepFailure && error.kind === "errored") return new StepFailure("failed", plain);
    throw error;
  }
}

function askAgain({ url, pollInterval }: Config, status: number): Outcome {
  const { origin, pathname } = new URL(url);
  return waiting(
    `"${origin}${pathname}" answered ${status}, asking again`,
    secondsOf(pollInterval, "pollInterval"),
  );
}
