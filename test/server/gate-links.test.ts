import { describe, expect, it } from "vitest";
import type { GateQuestion } from "#core/gate.ts";
import { createGateLinks, type GateLink, linksForMessage } from "#core/promotion/gate-links.ts";
import { type GateResource, newGate } from "#core/promotion/gate-resource.ts";
import { project, promotion as promotionResource } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer } from "#test/server/support/test-server.ts";

const promotion = "prod.01h00000000000000000000000.1111111";
const owner = { project: "shop", stage: "prod", promotion, promotionUid: "uid-1", alias: "ask" };
const api = `/v1beta1/projects/shop/gates/${promotion}/ask`;
const key = new Uint8Array(32).fill(7);
const expiresAt = new Date("2030-01-03T00:00:00.000Z");

async function serverWith(asks?: GateQuestion, later?: { now(): Date }): Promise<TestServer> {
  const server = await startTestServer(later);
  await server.put(project(), newGate(owner, { message: "Go <b>now</b>?", asks }));
  return server;
}

/** Calls as somebody with a token of the project. */
async function tokenOf(server: TestServer, role: string, name: string): Promise<Record<string, string>> {
  const path = `/v1beta1/projects/shop/roles/${role}/api-tokens`;
  const made = await server.json<{ data: { token: string } }>("POST", path, { name });
  return { Authorization: `Bearer ${Buffer.from(made.data.token, "base64")}` };
}

async function linkFor(
  server: TestServer,
  headers: Record<string, string> = {},
  body: Record<string, unknown> = { decision: "release" },
): Promise<string> {
  const response = await server.call("POST", `${api}/links`, body, headers);
  const { url } = (await response.json()) as { url: string };
  expect(response.status, JSON.stringify(url)).toBe(201);
  return new URL(url).pathname;
}

/** As a browser without a login does it. */
const open = (server: TestServer, path: string) =>
  server.app.request(path, { headers: { Accept: "text/html" } });
const press = (
  server: TestServer,
  path: string,
  decision = "release",
  headers: Record<string, string> = {},
) =>
  server.app.request(path, {
    method: "POST",
    body: new URLSearchParams({ decision, message: "looks good" }),
    headers: { Origin: "https://towpath.example.com", Accept: "text/html", ...headers },
  });
const stateOf = async (server: TestServer) =>
  (await server.services.gates.get("shop", promotion, "ask"))?.state;

/** A link that the daemon itself could have signed. */
function signed(changes: Partial<GateLink> = {}, withKey = key): string {
  const links = createGateLinks({
    key: withKey,
    publicUrl: "https://towpath.example.com",
    now: () => new Date(),
  });
  const holder = { user: "admin", role: "kargo-admin", claims: {} };
  const { url } = links.mint({
    ...{
      project: "shop",
      promotion,
      promotionUid: "uid-1",
      step: "ask",
      decision: "release",
      holder,
      expiresAt,
    },
    ...changes,
  });
  return new URL(url).pathname;
}

describe("a signed link", () => {
  it("shows what it would do to whoever opens it, and does it when the button is pressed", async () => {
    const server = await serverWith();
    const path = await linkFor(server, {}, { decision: "release", for: "jo@example.com" });
    for (const method of ["GET", "HEAD"]) {
      const page = await server.app.request(path, { method, headers: { Accept: "text/html" } });
      expect(page.status).toBe(200);
      expect(page.headers.get("cache-control")).toBe("no-store");
      expect(page.headers.get("referrer-policy")).toBe("same-origin");
      expect(page.headers.get("x-robots-tag")).toContain("noindex");
    }
    expect(await (await open(server, path)).text()).toMatch(
      /Go &lt;b&gt;now&lt;\/b&gt;\?[\s\S]*value="release">Release</,
    );
    expect(await stateOf(server)).toBe("open");

    const done = await press(server, path, "release", { "User-Agent": "Firefox" });
    expect(await done.text()).toContain("You have released ask of shop / prod");
    expect(await server.services.gates.get("shop", promotion, "ask")).toMatchObject({
      state: "released",
      by: "admin",
      answer: "looks good",
      via: "link",
    });
    expect(await server.store.audit({})).toMatchObject([
      {
        action: "GateLinkMade",
        actor: "admin",
        details: { decision: "release", "made-for": "jo@example.com" },
      },
      {
        action: "GateReleased",
        actor: "admin",
        message: "looks good",
        details: { via: "link", "made-for": "jo@example.com", "user-agent": "Firefox", step: "ask" },
      },
    ]);
    const [event] = (await server.store.events({})).filter(({ reason }) => reason === "GateReleased");
    expect(event?.annotations).toMatchObject({
      "event.towpath.dev/gate-by": "admin",
      "event.towpath.dev/gate-via": "link",
      "event.towpath.dev/gate-message": "looks good",
    });
  });

  it("denies by JSON as well, for programs", async () => {
    const server = await serverWith();
    const path = await linkFor(server, {}, { decision: "deny" });
    const response = await server.app.request(path, {
      method: "POST",
      body: JSON.stringify({ decision: "deny" }),
      headers: { "Content-Type": "application/json" },
    });
    expect(await response.json()).toMatchObject({ state: "denied", decision: "deny" });
  });

  it("works once, whoever has it and whatever it says", async () => {
    const server = await serverWith();
    const release = await linkFor(server);
    const deny = await linkFor(server, {}, { decision: "deny" });
    const answers = await Promise.all([
      press(server, release),
      press(server, release),
      press(server, deny, "deny"),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const state = await stateOf(server);
    for (const path of [release, deny]) {
      expect((await open(server, path)).status).toBe(409);
      const again = await press(server, path, path === deny ? "deny" : "release");
      expect(again.status).toBe(409);
      expect(await again.text()).toContain(`he gate was ${state} by admin at 2030`);
    }
  });

  it.each<[string, string | (() => string), number, string]>([
    ["with another signature", () => `${signed().slice(0, -4)}AAAA`, 404, "t is not one of this daemon"],
    ["with the signature spelled otherwise", () => `${signed()}=`, 404, "t is not one of this daemon"],
    ["without one", () => signed().split(".")[0] as string, 404, "t is not one of this daemon"],
    ["with something behind it", () => `${signed()}.x`, 404, "t is not one of this daemon"],
    ["of another daemon", signed({}, new Uint8Array(32).fill(8)), 404, "t is not one of this daemon"],
    [
      "whose contents were changed",
      () => tampered(signed({ decision: "deny" })),
      404,
      "t is not one of this daemon",
    ],
    [
      "that has expired",
      signed({ expiresAt: new Date("2030-01-02T03:04:05Z") }),
      410,
      "t was good until 2030",
    ],
    ["to another promotion of that name", signed({ promotionUid: "uid-2" }), 410, "is over"],
    ["to another promotion", signed({ promotion: "prod.other" }), 410, "is over"],
    ["to another project", signed({ project: "other" }), 410, "is over"],
    ["to another step", signed({ step: "other" }), 410, "is over"],
    ["of nothing", "/gate-link/x", 404, "t is not one of this daemon"],
  ])("%s is refused", async (_, given, status, why) => {
    const server = await serverWith();
    const path = typeof given === "string" ? given : given();
    for (const response of [
      await open(server, path),
      await press(server, path),
      await press(server, path, "deny"),
    ]) {
      expect(response.status).toBe(status);
      expect(await response.text()).toContain(why);
    }
    expect(await stateOf(server)).toBe("open");
    expect(await server.store.audit({})).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  function tampered(path: string): string {
    const [body = "", signature] = path.replace("/gate-link/", "").split(".");
    const text = Buffer.from(body, "base64url").toString().replace('"deny"', '"release"');
    return `/gate-link/${Buffer.from(text).toString("base64url")}.${signature}`;
  }

  it("says so when its gate is not open yet", async () => {
    const server = await startTestServer();
    await server.put(project(), promotionResource(promotion, { stage: "prod", freight: "a" }));
    const stored = await server.store.get({ kind: "Promotion", project: "shop", name: promotion });
    const response = await press(server, signed({ promotionUid: stored?.metadata.uid ?? "" }));
    expect(response.status).toBe(409);
    expect(await response.text()).toContain("is not open yet");
  });

  it.each<{ from: string; headers: Record<string, string> }>([
    { from: "another site", headers: { Origin: "https://evil.example.com" } },
    { from: "a sandboxed page", headers: { Origin: "null" } },
    { from: "a site beside ours", headers: { "Sec-Fetch-Site": "same-site" } },
  ])("does nothing for a form of $from", async ({ headers }) => {
    const server = await serverWith();
    const path = await linkFor(server);
    const body = new URLSearchParams({ decision: "release" });
    expect((await server.app.request(path, { method: "POST", body, headers })).status).toBe(403);
    expect(await stateOf(server)).toBe("open");
  });

  it.each([{}, { decision: "deny" }, { message: "x" }])(
    "does nothing without being told what: %j",
    async (fields) => {
      const server = await serverWith();
      const path = await linkFor(server);
      const body = new URLSearchParams(fields as Record<string, string>);
      expect((await server.app.request(path, { method: "POST", body })).status).toBe(400);
      expect(await stateOf(server)).toBe("open");
    },
  );
});

describe("the right that a link carries", () => {
  it.each<{ made: string; later?: { role: string; name: string } }>([
    { made: "nothing" },
    { made: "another token", later: { role: "kargo-promoter", name: "cd" } },
    { made: "a token of the same name and role", later: { role: "kargo-promoter", name: "ci" } },
    { made: "a token of the same name with a greater role", later: { role: "kargo-admin", name: "ci" } },
  ])("is that of who had it made, and ends with their token, though $made is made", async ({ later }) => {
    const server = await serverWith();
    const promoter = await tokenOf(server, "kargo-promoter", "ci");
    const path = await linkFor(server, promoter);
    await server.call("DELETE", "/v1beta1/projects/shop/api-tokens/ci");
    const anew = later && (await tokenOf(server, later.role, later.name));
    const refused = await press(server, path);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain("he right of token:shop/ci, who had it made, has ended");
    expect(await stateOf(server)).toBe("open");
    if (anew) expect((await press(server, await linkFor(server, anew))).status).toBe(200);
  });

  it.each([
    { user: "token:shop/ci", tokenUid: undefined },
    { user: "token:shop/ci", tokenUid: "" },
    { user: "token:shop/gone", tokenUid: "" },
  ])("is no token's without its uid: $user, $tokenUid", async ({ user, tokenUid }) => {
    const server = await serverWith();
    await tokenOf(server, "kargo-promoter", "ci");
    const holder = { user, role: "kargo-promoter", claims: {} };
    const path = signed({ holder, ...(tokenUid !== undefined && { tokenUid }) });
    expect((await press(server, path)).status).toBe(403);
  });

  it.each([
    { who: "viewers, of a plain gate", role: "kargo-viewer", asks: undefined },
    {
      who: "promoters whom the gate does not ask",
      role: "kargo-promoter",
      asks: { kind: "approval", minApprovals: 1, responders: [{ role: "kargo-admin" }] } as GateQuestion,
    },
  ])("is not given to $who", async ({ role, asks }) => {
    const server = await serverWith(asks);
    const headers = await tokenOf(server, role, "jo");
    expect((await server.call("POST", `${api}/links`, { decision: "release" }, headers)).status).toBe(403);
  });

  it("gives one person one voice, however many links they had made", async () => {
    const server = await serverWith({
      kind: "approval",
      minApprovals: 2,
      responders: [],
      excluded: "shop/lee",
    });
    const jo = await tokenOf(server, "kargo-viewer", "jo");
    const [one, other] = [
      await linkFor(server, jo),
      await linkFor(server, jo, { decision: "release", for: "sam" }),
    ];
    expect(await (await open(server, one)).text()).toContain(">Approve<");
    const first = await press(server, one);
    expect(await first.text()).toContain("It waits for more people to approve");
    for (const path of [one, other]) {
      const second = await press(server, path);
      expect(second.status).toBe(409);
      expect(await second.text()).toContain("token:shop/jo has approved it already");
    }
    const lee = await tokenOf(server, "kargo-admin", "lee");
    expect((await press(server, await linkFor(server, lee))).status).toBe(403);
    const mo = await tokenOf(server, "kargo-viewer", "mo");
    expect((await press(server, await linkFor(server, mo))).status).toBe(200);
    expect(await stateOf(server)).toBe("released");
  });

  it("of links that the pipeline had made is nobody's: where a gate says whom it asks, it must name them", async () => {
    const gate = (asks?: GateQuestion) =>
      newGate(owner, {
        message: "",
        asks,
        links: { expiresAt: expiresAt.toISOString(), madeFor: "releases" },
      });
    const pair = (resource: GateResource) => linksForMessage(links, resource);
    const links = createGateLinks({ key, publicUrl: "https://towpath.example.com", now: () => new Date() });
    const plain = await serverWith();
    const path = new URL(pair(gate())?.deny ?? "").pathname;
    expect(pair(gate())).toEqual(pair(gate()));
    expect((await press(plain, path, "deny")).status).toBe(200);
    expect(await plain.services.gates.get("shop", promotion, "ask")).toMatchObject({ by: "link:releases" });

    for (const [rule, status] of [
      [{ role: "kargo-promoter" }, 403],
      [{ claim: "sub", value: "link:releases" }, 200],
    ] as const) {
      const asks: GateQuestion = { kind: "approval", minApprovals: 1, responders: [rule] };
      const server = await serverWith(asks);
      expect((await press(server, new URL(pair(gate(asks))?.release ?? "").pathname)).status).toBe(status);
    }
    expect(pair(newGate(owner, { message: "" }))).toBeUndefined();
  });

  it.each([
    { body: { decision: "maybe" }, status: 400 },
    { body: { decision: "release", expiresIn: "721h" }, status: 400 },
    { body: { decision: "release", expiresIn: "0s" }, status: 400 },
    { body: { decision: "release", expiresIn: "soon" }, status: 400 },
    { body: { decision: "release", more: 1 }, status: 400 },
  ])("is refused for $body", async ({ body, status }) => {
    const server = await serverWith();
    expect((await server.call("POST", `${api}/links`, body)).status).toBe(status);
  });

  it("is given for no gate that is decided or asks for input", async () => {
    const decided = await serverWith();
    await decided.call("POST", `${api}/release`);
    expect((await decided.call("POST", `${api}/links`, { decision: "deny" })).status).toBe(409);
    const input = await serverWith({ kind: "input", responders: [], schema: { type: "object" } });
    expect((await input.call("POST", `${api}/links`, { decision: "release" })).status).toBe(400);
    // One that a pipeline had made.
    expect((await open(input, signed())).status).toBe(400);
    expect((await press(input, signed())).status).toBe(400);
  });
});
