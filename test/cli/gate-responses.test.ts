import { describe, expect, it } from "vitest";
import type { GateQuestion } from "#core/gate.ts";
import { newGate } from "#core/promotion/gate-resource.ts";
import { listen } from "#test/server/support/listen.ts";
import { project } from "#test/server/support/resources.ts";
import { startTestServer, testToken } from "#test/server/support/test-server.ts";
import { runCli } from "#test/support/cli.ts";

const promotion = "prod.01.abc";
const owner = { project: "shop", stage: "prod", promotion, promotionUid: "1", alias: "ask" };

/** A daemon's server with one gate, and the command line that talks to it. */
async function gateOf(asks?: GateQuestion) {
  const server = await startTestServer();
  await server.put(project(), newGate(owner, { message: "Go?", asks }));
  const url = await listen(server.app);
  const env = { TOWPATH_SERVER: url, TOWPATH_TOKEN: testToken, TOWPATH_PROJECT: "shop" };
  return {
    url,
    towpath: (...args: string[]) => runCli(args, { env }),
    status: async () =>
      (await server.store.get({ kind: "Gate", project: "shop", name: `${promotion}.ask` }))?.status,
  };
}

describe("towpath release and towpath deny", () => {
  const approval: GateQuestion = { kind: "approval", minApprovals: 2, responders: [] };
  const input: GateQuestion = {
    kind: "input",
    responders: [],
    schema: {
      type: "object",
      required: ["version"],
      properties: { version: { type: "string" }, count: { type: "integer" } },
    },
  };

  it("approve once where approvals are asked for", async () => {
    const { towpath, status } = await gateOf(approval);
    const first = await towpath("release", promotion, "-m", "tested");
    expect(first).toMatchObject({ code: 0, stdout: `gate ask of promotion ${promotion} answered\n` });
    expect(await status()).toMatchObject({
      responses: [{ user: "admin", action: "approve", message: "tested" }],
    });
    expect(await towpath("release", promotion)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("admin has approved it already"),
    });
  });

  it("reject where approvals are asked for", async () => {
    const { towpath, status } = await gateOf(approval);
    expect((await towpath("deny", promotion, "ask", "-m", "no")).code).toBe(0);
    expect(await status()).toMatchObject({ state: "denied", by: "admin", message: "no" });
  });

  it("fill in a form, each field as the schema wants it", async () => {
    const { towpath, status } = await gateOf(input);
    const done = await towpath("release", promotion, "--input", "version=1=2", "--input", "count=3");
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(await status()).toMatchObject({ state: "released", values: { version: "1=2", count: 3 } });
  });

  it.each([
    { args: ["release", promotion], says: "must have required property 'version'" },
    { args: ["release", promotion, "--input", "version"], says: "--input name=value" },
    { args: ["deny", promotion], says: "towpath abort" },
  ])("say what is wrong with $args, and leave the form open", async ({ args, says }) => {
    const { towpath, status } = await gateOf(input);
    expect(await towpath(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(says) });
    expect(await status()).toBeUndefined();
  });
});

describe("towpath gates link and towpath audit", () => {
  it("make a link that works without a login, and tell what came of it", async () => {
    const { towpath, status, url } = await gateOf();
    const made = await towpath("gates", "link", promotion, "--deny", "--expires", "2h", "--for", "jo");
    expect(made.stderr).toMatch(/It can deny gate ask once, until 2030-01-02T05:04:05.000Z, in your name/);
    const { pathname } = new URL(made.stdout.trim());
    const body = new URLSearchParams({ decision: "deny", message: "not today" });
    expect((await fetch(url + pathname, { method: "POST", body })).status).toBe(200);
    expect(await status()).toMatchObject({
      state: "denied",
      by: "admin",
      from: { via: "link", madeFor: "jo" },
    });
    const { stdout } = await towpath("audit");
    expect(stdout).toMatch(/admin\s+GateLinkMade\s+shop\/prod.01.abc.ask\s+cli 127.0.0.1/);
    expect(stdout).toMatch(/admin\s+GateDenied\s+shop\/prod.01.abc.ask\s+link 127.0.0.1\s+not today/);
    expect(JSON.parse((await towpath("audit", "--after", "1", "-o", "json")).stdout)).toHaveLength(1);
  });

  it.each([
    { args: ["gates", "link", promotion, "--deny", "--release"], says: "A link decides one thing" },
    { args: ["gates", "link", "other"], says: 'Promotion "other" has no open gate' },
    { args: ["gates", "link", promotion, "--expires", "never"], says: "expected a duration" },
    { args: ["audit", "--after", "x"], says: 'Cannot list after "x"' },
  ])("$args is refused", async ({ args, says }) => {
    const { towpath } = await gateOf();
    expect(await towpath(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(says) });
  });
});
