import { describe, expect, it } from "vitest";
import { freightOfChoices } from "#core/artifacts/freight-choice.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";

const commit = "3f2a9c1d".padEnd(40, "0");
const warehouse = {
  metadata: { name: "shop", namespace: "demo" },
  status: {
    discoveredArtifacts: {
      discoveredAt: "2030-01-01T00:00:00Z",
      git: [
        {
          repoURL: "https://git.example.com/shop/config.git",
          commits: [
            { id: "aaaaaaaa".padEnd(40, "0"), tag: "v2" },
            { id: commit, tag: "v1", subject: "One" },
          ],
        },
      ],
      images: [
        {
          repoURL: "example.com/shop/web",
          subscriptionName: "frontend",
          references: [
            { tag: "1.1.0", digest: "sha256:11" },
            { tag: "1.0.0", digest: "sha256:10" },
          ],
        },
        { repoURL: "example.com/other/web", references: [{ tag: "7", digest: "sha256:77" }] },
      ],
      charts: [{ repoURL: "https://charts.example.com", name: "api", versions: ["3.0.0", "2.0.0"] }],
    },
  },
} as unknown as Warehouse;

const versions = (choices: string[]) => {
  const parsed = choices.map((choice) => {
    const [source = "", version = ""] = choice.split("=");
    return { source, version };
  });
  const { commits, images, charts } = freightOfChoices(warehouse, parsed);
  return [commits?.[0]?.tag, ...(images ?? []).map(({ tag }) => tag), charts?.[0]?.version].join(" ");
};

describe("assembling freight", () => {
  it.each([
    { choices: [], gives: "v2 1.1.0 7 3.0.0" },
    { choices: ["frontend=1.0.0"], gives: "v2 1.0.0 7 3.0.0" },
    { choices: ["example.com/shop/web=sha256:10"], gives: "v2 1.0.0 7 3.0.0" },
    { choices: ["config=3f2a9c1", "api=2.0.0"], gives: "v1 1.1.0 7 2.0.0" },
    { choices: ["https://git.example.com/shop/config.git=v1"], gives: "v1 1.1.0 7 3.0.0" },
  ])("with $choices gives $gives", ({ choices, gives }) => {
    expect(versions(choices)).toBe(gives);
  });

  it("names the freight as a Warehouse itself would", () => {
    const { name, commits } = freightOfChoices(warehouse, [{ source: "config", version: "v1" }]);
    expect(name).toMatch(/^[0-9a-f]{40}$/);
    expect(commits).toEqual([
      { repoURL: "https://git.example.com/shop/config.git", id: commit, tag: "v1", message: "One" },
    ]);
  });

  it.each([
    { choice: "web=7", says: "several subscriptions fit it", hint: "frontend" },
    { choice: "backend=1", says: "no such subscription", hint: '"frontend"' },
    { choice: "frontend=9.9.9", says: "was not discovered", hint: "the best are 1.1.0, 1.0.0" },
    { choice: "config=3f2", says: "was not discovered", hint: "v2, v1" },
  ])("refuses $choice: $says", ({ choice, says, hint }) => {
    const refused = () => versions([choice]);
    expect(refused).toThrow(says);
    expect(refused).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) }));
  });

  it("needs a Warehouse that has looked", () => {
    expect(() => freightOfChoices({ ...warehouse, status: {} }, [])).toThrow(
      "has not discovered anything yet",
    );
  });
});
