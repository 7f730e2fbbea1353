import { describe, expect, it } from "vitest";
import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";

describe("the canonical form of an image repository", () => {
  it.each([
    ["index.docker.io/library/redis", "redis"],
    ["registry-1.docker.io/redis", "redis"],
    ["docker.io/redis", "redis"],
    ["library/redis", "redis"],
    ["redis", "redis"],
    ["docker.io/shop/web", "shop/web"],
    ["GHCR.io/Shop/Web", "ghcr.io/shop/web"],
    ["localhost:5000/web", "localhost:5000/web"],
    ["localhost/web", "localhost/web"],
    ["redis:7", "redis"],
    ["two words", "two words"],
    [" quay.io/shop/web\u200b", "quay.io/shop/web"],
  ])("of %j is %j", (written, canonical) => {
    expect(normalizeImageUrl(written)).toBe(canonical);
  });
});

describe("the canonical form of a chart repository", () => {
  it.each([
    ["OCI://Docker.io/Shop/Chart", "shop/chart"],
    [" oci://registry.example.com/charts ", "registry.example.com/charts"],
    ["https://Charts.example.com/Stable", "https://charts.example.com/stable"],
    ["", ""],
  ])("of %j is %j", (written, canonical) => {
    expect(normalizeChartUrl(written)).toBe(canonical);
  });
});
