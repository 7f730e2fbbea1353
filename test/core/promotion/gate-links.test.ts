import { describe, expect, it } from "vitest";
import { createMasker } from "#core/credentials/masker.ts";
import { createStepFunctions } from "#core/promotion/functions.ts";
import { createGateLinks } from "#core/promotion/gate-links.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";
import { succeeded } from "#core/step.ts";
import { runSteps, testClock } from "./support.ts";

const links = createGateLinks({
  key: new Uint8Array(32),
  publicUrl: "https://towpath.example.com/",
  now: testClock().now,
});
const masker = createMasker();
const nowhere = { get: async () => undefined };
const functionsFor = createStepFunctions(nowhere, masker, { links, now: testClock().now });

const kinds = {
  say: ({ config }: { config: Record<string, unknown> }) => succeeded(config),
  ask: () => succeeded(),
};

async function said(text: string, ...more: PromotionStep[]) {
  const steps = [{ uses: "say", as: "tell", config: { text } }, { uses: "ask", as: "approve" }, ...more];
  const { run, records } = await runSteps(steps, kinds, { services: { functionsFor } });
  return { run, records, text: (run.outputs.tell as { text?: string } | null)?.text ?? "" };
}

describe("gateLink", () => {
  it("gives earlier steps the link of a later one, as data that is not shown to people", async () => {
    const { run, text } = await said("Go? ${{ gateLink('approve', 'deny', '2h', 'releases') }}");
    const token = text.replace(/^Go\? https:\/\/towpath.example.com\/gate-link\//, "");
    expect(links.read(token)).toMatchObject({
      project: "shop",
      promotion: run.promotion,
      promotionUid: run.uid,
      step: "approve",
      decision: "deny",
      expiresAt: new Date("2030-01-02T05:04:05.000Z"),
      holder: { user: "link:releases", role: "", claims: {} },
    });
    masker.add(token);
    expect(masker.mask(text)).toBe("Go? https://towpath.example.com/gate-link/***");
  });

  it.each([
    ["gateLink('aprove', 'deny')", /there is no step "aprove"/],
    ["gateLink('approve', 'maybe')", /a link can "release" or "deny"/],
    ["gateLink('approve', 'deny', '1000h')", /at most 720h/],
    ["gateLink('approve')", /not enough arguments|gateLink/],
  ])("%s is refused", async (expression, why) => {
    const { records } = await said(`\${{ ${expression} }}`);
    expect(records[0]).toMatchObject({ status: "Errored", message: expect.stringMatching(why) });
  });

  it("knows the steps of its own task by their short names", async () => {
    const steps = [
      { uses: "say", as: "deploy::tell", config: { text: "${{ gateLink('approve', 'deny') }}" } },
      { uses: "ask", as: "deploy::approve" },
    ];
    const { run } = await runSteps(steps, kinds, { services: { functionsFor } });
    const { text = "" } = run.outputs["deploy::tell"] as { text?: string };
    expect(links.read(text.split("/").at(-1) ?? "").step).toBe("deploy::approve");
  });

  it("is good for 24 hours unless it is told", async () => {
    const { text } = await said("${{ gateLink('approve', 'release') }}");
    expect(links.read(text.split("/").at(-1) ?? "").expiresAt).toEqual(new Date("2030-01-03T03:04:05.000Z"));
  });
});
