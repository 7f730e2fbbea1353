import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { downloadFile } from "./lib/download-file.ts";
import {
  durationText,
  headersField,
  headersOf,
  queryParamsField,
  secondsOf,
  withQuery,
} from "./lib/http-request.ts";
import { downloaded } from "./lib/resumed-download.ts";

const maxBytes = 100 * 1024 * 1024;

const config = z.strictObject({
  url: z.string().min(1).describe("The URL to download."),
  outPath: z.string().min(1).describe("Where to put the file, in the workspace; missing folders are made."),
  allowOverwrite: z.boolean().default(false).describe("Replace the file if it exists."),
  headers: headersField.optional().describe("Headers to send."),
  queryParams: queryParamsField.optional().describe("Parameters to add to the URL's query."),
  insecureSkipTLSVerify: z.boolean().default(false).describe("Do not check the server's certificate."),
  timeout: durationText.default("5m").describe("How long the download may take."),
  checksum: z
    .string()
    .regex(
      /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/i,
      "must be sha256: or sha512: and a hexadecimal digest",
    )
    .optional()
    .describe(
      "What the content must hash to: `sha256:` or `sha512:` and the digest. Kargo does not have this field.",
    ),
});

type Config = z.output<typeof config>;

export default defineStep({
  name: "http-download",
  summary: "Downloads a file over HTTP.",
  notes:
    "The file appears only when it is complete. It may have 100 MiB at most. A transfer that breaks off goes on where " +
    "it was, where the server can do that and its ETag says that the content is the same. The rules for addresses " +
    "are those of the http step.",
  config,
  output: z.object({}),
  examples: [
    {
      title: "Download a release",
      yaml: `
        uses: http-download
        config:
          url: https://downloads.example.com/app/v1.2.3/app.tar.gz
          outPath: ./downloads/app.tar.gz
          headers:
          - name: Authorization
            value: Bearer \${{ secret("downloads").token }}`,
    },
  ],

  async run(config, ctx) {
    await downloadFile(config, ctx, async () => [contentOf(config, ctx), checking(config)]);
    return succeeded();
  },
});

function contentOf(config: Config, ctx: StepContext): AsyncIterable<Uint8Array> {
  return downloaded(
    {
      url: config.url,
      target: withQuery(config.url, config.queryParams),
      headers: headersOf(config.headers),
      timeoutSeconds: secondsOf(config.timeout, "timeout") || 86_400,
      maxBytes,
      insecureSkipTLSVerify: config.insecureSkipTLSVerify,
    },
    ctx,
  );
}

/** Passes the content on and fails at its end if it is not what was expected. */
function checking({ url, checksum }: Config): Transform {
  const [algorithm = "sha256", expected] = checksum?.toLowerCase().split(":") ?? [];
  const hash = createHash(algorithm);
  return new Transform({
    transform(chunk, _encoding, done) {
      if (expected !== undefined) hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const digest = hash.digest("hex");
      if (expected === undefined || digest === expected) return done();
      const { origin, pathname } = new URL(url);
      done(
        new StepFailure(
          "failed",
          `Cannot trust "${origin}${pathname}": its content has ${algorithm} ${digest}`,
        ),
      );
    },
  });
}
