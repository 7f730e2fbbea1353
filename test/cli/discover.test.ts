import { writeFileSync } from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { discoverFiles } from "#cli/discover.ts";
import { startFakeRegistry } from "#test/support/fake-registry.ts";
import { plannedRepository } from "#test/support/git-history.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

/** Runs the command on a file with these resources; returns what it prints and how it ends. */
async function discover(yaml: string, output: "text" | "json" = "text", allowNet?: string[]) {
  const file = path.join(temporaryFolder(), "warehouse.yaml");
  writeFileSync(file, yaml);
  const stdout = new PassThrough();
  const printed = text(stdout);
  const io = {
    stdin: new PassThrough(),
    stdout,
    stderr: new PassThrough(),
    env: {},
    signal: new AbortController().signal,
  };
  const error = await discoverFiles({ filename: [file], output, allowNet }, io).catch(
    (thrown: unknown) => thrown,
  );
  stdout.end();
  return { printed: await printed, error };
}

const warehouse = (subscriptions: unknown[], more: object = {}) =>
  JSON.stringify({
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "Warehouse",
    metadata: { name: "shop", namespace: "demo" },
    spec: { subscriptions, ...more },
  });

const releases = () => {
  const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0", "v1.1.0", "v2.0.0", "odd"] }]);
  return {
    repository,
    git: { repoURL: `file://${repository}`, commitSelectionStrategy: "SemVer", semverConstraint: "^1.0.0" },
  };
};

describe("towpath discover", () => {
  it("shows what is taken, what is left out and why, and the freight", async () => {
    const { repository, git } = releases();
    const { printed, error } = await discover(warehouse([{ git }]));
    expect(error).toBeUndefined();
    expect(printed.split("\n")).toEqual([
      "Warehouse demo/shop",
      `  git file://${repository}`,
      "    takes    v1.1.0, v1.0.0",
      "    left out 1: is no semantic version (odd)",
      '    left out 1: does not satisfy the constraint "^1.0.0" (v2.0.0)',
      expect.stringMatching(/^ {2}freight {2}[0-9a-f]{40}$/),
      "",
    ]);
  });

  it("prints the same as JSON", async () => {
    const { git } = releases();
    const [outlook] = JSON.parse((await discover(warehouse([{ git }]), "json")).printed);
    expect(outlook).toMatchObject({
      project: "demo",
      warehouse: "shop",
      subscriptions: [
        {
          kind: "git",
          chosen: ["v1.1.0", "v1.0.0"],
          leftOut: expect.arrayContaining([{ name: "odd", reason: "is no semantic version" }]),
        },
      ],
      freight: { commits: [{ tag: "v1.1.0" }] },
    });
  });

  it.each([
    { more: { freightCreationPolicy: "Manual" }, says: "none by itself: freightCreationPolicy is Manual" },
    {
      more: { freightCreationCriteria: { expression: "false" } },
      says: "none: freightCreationCriteria do not hold",
    },
  ])("says why no freight would be made: $says", async ({ more, says }) => {
    expect((await discover(warehouse([{ git: releases().git }], more))).printed).toContain(
      `  freight  ${says}\n`,
    );
  });

  it("uses the Secrets beside the Warehouse, and ends with 1 where they are wrong, telling none of them", async () => {
    const registry = await startFakeRegistry({ auth: "basic" });
    registry.pushImage("1.0.0");
    const credentials = (password: string) => `
apiVersion: v1
kind: Secret
metadata: {name: registry, namespace: demo, labels: {kargo.akuity.io/cred-type: image}}
stringData: {repoURL: "${registry.repoURL}", username: joe, password: ${password}}
`;
    const image = warehouse([{ name: "web", image: { repoURL: registry.repoURL } }]);
    const right = await discover(`${image}\n---${credentials("s3cret")}`);
    expect(right.printed).toContain("takes    1.0.0");
    const wrong = await discover(`${image}\n---${credentials("guessed-wrong")}`);
    expect(wrong.error).toMatchObject({ code: 1 });
    expect(wrong.printed).toContain("refused the configured credentials");
    expect(wrong.printed).toContain("  freight  none, since a repository could not be read");
    expect(wrong.printed).not.toContain("guessed-wrong");
  });

  it.each([
    {
      yaml: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: demo}\n",
      says: "there is no Warehouse",
    },
    { yaml: warehouse([{ git: { repoURl: "x" } }]), says: "warehouse.yaml:1:" },
  ])("refuses files without a Warehouse: $says", async ({ yaml, says }) => {
    const { error } = await discover(yaml);
    expect(String(error)).toContain(says);
  });
});
