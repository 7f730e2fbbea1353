import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { kinds } from "#core/resources/kinds.ts";
import { extensions } from "#server/api/extensions.ts";
import { project, warehouse } from "#test/server/support/resources.ts";
import { openStream } from "#test/server/support/stream.ts";
import { startTestServer } from "#test/server/support/test-server.ts";

/** The fields of a status that Kargo 1.11 knows. */
const known: Record<string, readonly string[]> = {
  Project: ["conditions", "stats"],
  ProjectConfig: ["conditions", "lastHandledRefresh", "observedGeneration", "webhookReceivers"],
  ClusterConfig: ["conditions", "lastHandledRefresh", "observedGeneration", "webhookReceivers"],
  Warehouse: [
    "conditions",
    "discoveredArtifacts",
    "lastFreightID",
    "lastHandledRefresh",
    "observedGeneration",
  ],
  Freight: ["approvedFor", "currentlyIn", "metadata", "verifiedIn"],
  Stage: [
    "autoPromotionEnabled",
    "autoPromotionHolds",
    "conditions",
    "currentPromotion",
    "effectiveAutoPromotionHolds",
    "freightHistory",
    "freightSummary",
    "health",
    "lastHandledRefresh",
    "lastPromotion",
    "metadata",
    "observedGeneration",
    "promotionWindowStatus",
  ],
  Promotion: [
    "currentStep",
    "finishedAt",
    "freight",
    "freightCollection",
    "healthChecks",
    "lastHandledRefresh",
    "message",
    "phase",
    "startedAt",
    "state",
    "stepExecutionMetadata",
  ],
};

describe("what Kargo does not know", () => {
  it.each(Object.entries(known))("is on the list of what is kept from its clients: %s", (kind, fields) => {
    const status = kinds.get(kind)?.schema.shape.status as z.ZodOptional<z.ZodObject>;
    const own = Object.keys(status.unwrap().shape).filter((field) => !fields.includes(field));
    expect(own.map((field) => `status.${field}`)).toEqual(
      (extensions[kind] ?? []).filter((path) => path.startsWith("status.")),
    );
  });

  it("is told to who asks for it, and to nobody else", async () => {
    const server = await startTestServer();
    await server.put(project(), { ...warehouse(), status: { discovery: [], lastFreightID: "abc" } });
    const path = "/v1beta1/projects/shop/warehouses";
    expect(await server.json("GET", `${path}/app`)).toMatchObject({ status: { lastFreightID: "abc" } });
    for (const query of ["", "/app", "/app?watch=true"]) {
      const [plain, asking] = [
        `${path}${query}`,
        `${path}${query}${query.includes("?") ? "&" : "?"}extensions=true`,
      ];
      if (query.includes("watch")) {
        expect(JSON.stringify(await (await openStream(server, plain)).next())).not.toContain("discovery");
        expect(JSON.stringify(await (await openStream(server, asking)).next())).toContain("discovery");
      } else {
        expect(await (await server.call("GET", plain)).text()).not.toContain("discovery");
        expect(await (await server.call("GET", asking)).text()).toContain("discovery");
      }
    }
  });
});
