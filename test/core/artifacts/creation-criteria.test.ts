import { beforeAll, describe, expect, it } from "vitest";
import { meetsCriteria } from "#core/artifacts/creation-criteria.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import { createExpressions } from "#core/expressions/expressions.ts";
import type { DiscoveredArtifacts } from "#core/resources/warehouse.ts";

let expressions: Expressions;
beforeAll(async () => {
  expressions = await createExpressions();
});

const artifacts: DiscoveredArtifacts = {
  discoveredAt: "2030-01-01T00:00:00Z",
  git: [
    { repoURL: "https://git.example.com/none", commits: [] },
    {
      repoURL: "https://git.example.com/shop.git",
      commits: [{ id: "abc", tag: "v1.2.0", creatorDate: "2030-01-02T00:00:00Z" }, { id: "old" }],
    },
  ],
  images: [
    {
      repoURL: "ghcr.io/shop/front",
      references: [{ tag: "1.2.0", digest: "sha256:00", annotations: { team: "a" } }],
    },
    { repoURL: "ghcr.io/shop/back", references: [{ tag: "1.2.1", digest: "sha256:01" }] },
  ],
  charts: [{ repoURL: "https://charts.example.com", name: "web", versions: ["1.2.0", "1.1.0"] }],
  results: [
    {
      name: "models",
      artifactReferences: [{ subscriptionName: "models", version: "7", metadata: { size: 3 } }],
    },
  ],
};

describe("freight creation criteria", () => {
  it.each([
    [undefined, true],
    [{}, true],
    [{ expression: "  " }, true],
    [{ expression: "true" }, true],
    [{ expression: "1" }, true],
    [{ expression: "0" }, false],
    [{ expression: "imageFrom('ghcr.io/shop/front').Tag == imageFrom('ghcr.io/shop/back').Tag" }, false],
    [
      {
        expression:
          "'v' + imageFrom('ghcr.io/shop/front').Tag == commitFrom('https://git.example.com/shop').Tag",
      },
      true,
    ],
    [{ expression: "imageFrom('GHCR.io/shop/front').Annotations['team'] == 'a'" }, true],
    [{ expression: "imageFrom('ghcr.io/shop/back').Digest endsWith '01'" }, true],
    [{ expression: "chartFrom('https://charts.example.com').Version == '1.2.0'" }, true],
    [{ expression: "chartFrom('https://charts.example.com', 'web').Name == 'web'" }, true],
    [{ expression: "chartFrom('https://charts.example.com', 'api') == nil" }, true],
    [{ expression: "commitFrom('https://git.example.com/none') == nil" }, true],
    [
      { expression: "commitFrom('https://git.example.com/shop').CreatorDate.After(date('2030-01-01'))" },
      true,
    ],
    [
      { expression: "artifactFrom('models').Version == '7' && artifactFrom('models').Metadata.size == 3" },
      true,
    ],
    [{ expression: "artifactFrom('sounds') == nil" }, true],
  ])("%j: %s", async (criteria, met) => {
    expect(await meetsCriteria(criteria, artifacts, expressions)).toBe(met);
  });

  it.each([
    "commitFrom()",
    "commitFrom(1)",
    "imageFrom('a', 'b')",
    "vars.x",
    "'yes'",
    "nil",
    "warehouse('x')",
  ])("%s cannot be judged", async (expression) => {
    await expect(meetsCriteria({ expression }, artifacts, expressions)).rejects.toThrow();
  });
});
