import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { run } from "#cli/local.ts";
import { ExitCode } from "#cli/report-error.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { requirePart } from "#test/support/require-part.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

describe.skipIf(!(await requirePart("docker")))("towpath run", () => {
  it("runs custom steps and inline containers", async () => {
    const image = await makeBusyboxImage();
    const folder = temporaryFolder();
    const custom = join(folder, "custom.yaml");
    await writeFile(
      custom,
      JSON.stringify({
        apiVersion: "ee.kargo.akuity.io/v1alpha1",
        kind: "CustomPromotionStep",
        metadata: { name: "hello" },
        spec: {
          image,
          command: [
            "sh",
            "-c",
            "echo said=hello-${{ config.to }} > $KARGO_OUTPUT; echo raw=\\$'{{ 1 + 1 }}' >> $KARGO_OUTPUT",
          ],
        },
      }),
    );
    const steps = join(folder, "steps.yaml");
    await writeFile(
      steps,
      JSON.stringify([
        { uses: "hello", as: "greet", config: { to: "you" } },
        {
          uses: "container",
          as: "inline",
          config: {
            image,
            // Data stays data, also where it looks like a template.
            env: { HEARD: "${{ outputs.greet.said }}", RAW: "${{ outputs.greet.raw }}", COUNT: 3 },
            script: 'echo "heard=$HEARD" > $KARGO_OUTPUT; echo "raw=$RAW$COUNT" >> $TOWPATH_OUTPUT',
          },
        },
      ]),
    );
    const stdout = new PassThrough();
    const io = { stdin: Readable.from([""]), stdout, stderr: new PassThrough(), env: {} };
    const { signal } = new AbortController();
    await run(steps, { filename: [custom], output: "json" }, { ...io, signal }).catch((error) => {
      if (!(error instanceof ExitCode)) throw error;
    });
    expect(JSON.parse(String(stdout.read()))).toMatchObject({
      phase: "Succeeded",
      steps: [{ output: { said: "hello-you" } }, { output: { heard: "hello-you", raw: "${{ 1 + 1 }}3" } }],
    });
  });
});
