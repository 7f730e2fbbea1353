import { describe, expect, it } from "vitest";
import { discoverySettingsFrom } from "#core/artifacts/discovery-settings.ts";

describe("the settings of discovery", () => {
  it("are Kargo's defaults where nothing is said", () => {
    expect(discoverySettingsFrom({})).toEqual({
      cacheByTagPolicy: "Allow",
      registryRequestsPerSecond: 20,
      minIntervalSeconds: 0,
      concurrency: 4,
    });
  });

  it("are read from Kargo's variables", () => {
    const settings = discoverySettingsFrom({
      CACHE_BY_TAG_POLICY: "Force",
      IMAGE_REGISTRY_RATE_LIMIT: "5",
      MIN_WAREHOUSE_RECONCILIATION_INTERVAL: "1m30s",
      MAX_CONCURRENT_WAREHOUSE_RECONCILES: "8",
    });
    expect(settings).toMatchObject({
      cacheByTagPolicy: "Force",
      registryRequestsPerSecond: 5,
      minIntervalSeconds: 90,
      concurrency: 8,
    });
  });

  it.each([
    { CACHE_BY_TAG_POLICY: "allow" },
    { IMAGE_REGISTRY_RATE_LIMIT: "0" },
    { MIN_WAREHOUSE_RECONCILIATION_INTERVAL: "soon" },
    { MAX_CONCURRENT_WAREHOUSE_RECONCILES: "-1" },
  ])("are refused by name: %j", (env) => {
    expect(() => discoverySettingsFrom(env)).toThrow(`Cannot use ${Object.keys(env)[0]}`);
  });
});
