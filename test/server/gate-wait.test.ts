import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { type GateOwner, newGate } from "#core/promotion/gate-resource.ts";
import { listen } from "#test/server/support/listen.ts";
import { project, promotion, stage } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer, testToken } from "#test/server/support/test-server.ts";

const name = "prod.01h00000000000000000000000.1111111";
const byStage = "/v1beta1/projects/shop/stages/prod/gates/ask";
const byPromotion = `/v1beta1/projects/shop/gates/${name}/ask`;

/** The stage prod has a promotion under way. */
async function serverWith(limits = {}): Promise<{ server: TestServer; owner: GateOwner }> {
  const server = await startTestServer({ limits });
  await server.put(
    project(),
    stage("prod", {}, { currentPromotion: { name } }),
    promotion(name, { stage: "prod", freight: "a" }),
  );
  const stored = await server.store.get({ kind: "Promotion", project: "shop", name });
  const promotionUid = stored?.metadata.uid ?? "";
  return { server, owner: { project: "shop", stage: "prod", promotion: name, promotionUid, alias: "ask" } };
}

const open = (server: TestServer, owner: GateOwner) => server.put(newGate(owner, { message: "Go?" }));

describe("a gate that a stage's name tells", () => {
  it("is looked at, released and denied without the promotion's name", async () => {
    const { server, owner } = await serverWith();
    expect((await server.call("POST", `${byStage}/release`)).status).toBe(404);
    await open(server, owner);
    expect(await server.json("GET", byStage)).toMatchObject({ promotion: name, state: "open" });
    expect(await server.json("POST", `${byStage}/release`, { message: "ok" })).toMatchObject({
      state: "released",
    });
    expect((await server.call("POST", `${byStage}/deny`)).status).toBe(409);
  });

  it("is none of an earlier promotion of that name", async () => {
    const { server, owner } = await serverWith();
    await open(server, { ...owner, promotionUid: "another" });
    expect((await server.call("POST", `${byStage}/release`)).status).toBe(404);
  });
});

describe("who waits for a gate", () => {
  it.each([
    { verb: "release", status: 200, state: "released" },
    { verb: "deny", status: 409, state: "denied" },
  ])("hears of a $verb at once, by either address", async ({ verb, status, state }) => {
    const { server, owner } = await serverWith();
    const early = server.call("GET", `${byStage}/wait`);
    await open(server, owner);
    const late = server.call("GET", `${byPromotion}/wait?timeout=30`);
    await server.call("POST", `${byPromotion}/${verb}`);
    for (const answer of [await early, await late, await server.call("GET", `${byPromotion}/wait`)]) {
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ state, by: "admin" });
    }
  });

  it("hears that nothing was decided in time, or that there is nothing to wait for", async () => {
    const { server, owner } = await serverWith();
    expect(await server.json("GET", `${byStage}/wait?timeout=0`)).toEqual({ state: "closed" });
    expect((await server.call("GET", `${byPromotion}/wait`)).status).toBe(404);
    await open(server, owner);
    const answer = await server.call("GET", `${byPromotion}/wait?timeout=0.01`);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ state: "open" });
    const gone = server.call("GET", `${byStage}/wait`);
    await server.store.write([{ op: "delete", ref: { kind: "Gate", project: "shop", name: `${name}.ask` } }]);
    expect((await gone).status).toBe(410);
  });

  it.each(["", "-1", "601", "x", "NaN"])("cannot wait for %j seconds", async (timeout) => {
    const { server } = await serverWith();
    expect((await server.call("GET", `${byStage}/wait?timeout=${timeout}`)).status).toBe(400);
  });

  it("takes a place that is free again when the client has gone away", async () => {
    const { server, owner } = await serverWith({ streams: 1 });
    await open(server, owner);
    const url = `${await listen(server.app)}${byStage}/wait`;
    const headers = { Authorization: `Bearer ${testToken}` };
    const first = request(url, { headers }).on("error", () => {});
    first.end();
    const status = async () => (await fetch(`${url}?timeout=0`, { headers })).status;
    while ((await status()) !== 503);
    first.destroy();
    while ((await status()) !== 202);
  });
});

describe("two people at the same moment", () => {
  it("one wins, and both see what happened", async () => {
    const { server, owner } = await serverWith();
    await open(server, owner);
    const url = `${await listen(server.app)}${byPromotion}`;
    const tokens = await Promise.all(["jo", "lee"].map((each) => tokenFor(server, each)));
    const answers = await Promise.all(
      tokens.map(async (token, index) => {
        const response = await fetch(`${url}/${index === 0 ? "release" : "deny"}`, {
          method: "POST",
          headers: { Authorization: `Bearer ${token}` },
        });
        return { status: response.status, text: await response.text() };
      }),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const winner = answers[0]?.status === 200 ? "released by token:shop/jo" : "denied by token:shop/lee";
    expect(answers.find(({ status }) => status === 409)?.text).toContain(`it was ${winner} at 2030`);
    const page = await server.call("GET", `/gates/shop/${name}/ask`, undefined, { Accept: "text/html" });
    expect((await page.text()).replaceAll(/<[^>]*>/g, "")).toContain(winner);
    expect(await server.store.audit({})).toHaveLength(1);
  });

  async function tokenFor(server: TestServer, who: string): Promise<string> {
    const path = "/v1beta1/projects/shop/roles/kargo-promoter/api-tokens";
    const made = await server.json<{ data: { token: string } }>("POST", path, { name: who });
    return Buffer.from(made.data.token, "base64").toString();
  }
});
