import { describe, expect, it } from "vitest";
import { findCycle, readImports } from "#test/support/imports.ts";

const root = new URL("..", import.meta.url).pathname;
const rooms = ["core", "steps", "runners", "server", "cli"];
const graph = readImports(root, rooms);

/** The two places that put everything together, and the command that starts one of them. */
const wiring = new Set(["server/daemon.ts", "cli/local.ts", "cli/commands/serve.ts"]);

const mayImport: Record<string, readonly string[]> = {
  core: ["core"],
  steps: ["steps", "core"],
  runners: ["runners", "core"],
  server: ["server", "steps", "runners", "core"],
  cli: ["cli", "steps", "runners", "core"],
};

const roomOf = (file: string) => file.split("/")[0] ?? "";
const edges = [...graph].flatMap(([from, targets]) => targets.map((to) => ({ from, to })));
const broken = (isBroken: (edge: { from: string; to: string }) => boolean) =>
  edges.filter(isBroken).map(({ from, to }) => `${from} imports ${to}`);

describe("the structure of the house", () => {
  it("has imports to look at, each of a file that is there", () => {
    expect(edges.length).toBeGreaterThan(50);
    expect(broken(({ to }) => rooms.includes(roomOf(to)) && !graph.has(to))).toEqual([]);
  });

  it("lets imports point one way only", () => {
    const wrongWay = ({ from, to }: { from: string; to: string }) =>
      !wiring.has(from) && rooms.includes(roomOf(to)) && !mayImport[roomOf(from)]?.includes(roomOf(to));
    expect(broken(wrongWay)).toEqual([]);
  });

  it("keeps steps apart from one another: what two need stands in steps/lib", () => {
    const isStep = (file: string) => /^steps\/[^/]+\.ts$/.test(file) && file !== "steps/index.ts";
    expect(
      broken(({ from, to }) => from !== "steps/index.ts" && isStep(to) && roomOf(from) === "steps"),
    ).toEqual([]);
  });

  it("has no cycles", () => {
    expect(findCycle(graph)).toBeUndefined();
  });
});
