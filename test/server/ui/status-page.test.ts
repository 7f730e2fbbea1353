import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { listen } from "#test/server/support/listen.ts";
import { putPipeline, running } from "#test/server/support/pipeline.ts";
import { freight, project, stage } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer, testToken } from "#test/server/support/test-server.ts";
import { requirePart } from "#test/support/require-part.ts";

const executablePath = process.env.TOWPATH_CHROMIUM ?? "/usr/bin/chromium";
const hasChromium = await requirePart("chromium");

describe.skipIf(!hasChromium)("the status page in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    // Containers have no user namespaces for Chromium's own sandbox; the only pages it sees here are ours.
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  afterAll(() => browser.close());

  /** A page of a browser that knows nothing yet, and everything that its console complained of. */
  async function open(
    fill: (server: TestServer) => Promise<void>,
    viewport = { width: 1280, height: 900 },
  ): Promise<{ server: TestServer; page: Page; url: string; complaints: string[] }> {
    const server = await startTestServer();
    await fill(server);
    const url = await listen(server.app);
    const context = await browser.newContext({ viewport });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(url);
    return { server, page, url, complaints };
  }

  async function signIn(page: Page): Promise<void> {
    await page.getByLabel("Token").fill(testToken);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Sign out" }).waitFor();
  }

  it("asks for the token first, and shows nothing without it", async () => {
    const { page, complaints } = await open(putPipeline);
    expect(await page.content()).not.toContain("shop");
    await page.getByLabel("Token").fill("a wrong one");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("not a token").waitFor();
    await signIn(page);
    await page.getByRole("heading", { name: "shop", exact: true }).waitFor();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
  });

  it("says what to do when there is nothing, and shows what appears then", async () => {
    const { server, page } = await open(async () => {});
    await signIn(page);
    await page.getByText("No projects yet").waitFor();
    await server.put(project());
    await page.getByText("This project has no stages yet").waitFor();
    await server.put(stage("test"));
    await page.getByRole("article", { name: "test" }).getByText("Holds no freight yet").waitFor();
  });

  it("shows what is going on, as text whatever it holds", async () => {
    const { page, complaints } = await open(putPipeline);
    await signIn(page);
    const staging = page.getByRole("article", { name: "staging" });
    await staging.getByText("Promotion errored", { exact: true }).waitFor();
    await staging.getByText("Cannot push to main: <b>the remote</b> went away").waitFor();
    const steps = page.getByRole("article", { name: "prod", exact: true }).getByRole("listitem");
    expect(await steps.allInnerTexts()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/clone Succeeded/),
        expect.stringMatching(/approval Running/),
      ]),
    );
    expect(await page.getByRole("row", { name: /slow-hare/ }).innerText()).toContain("verified in staging");
    expect(complaints).toEqual([]);
  });

  it("promotes", async () => {
    const { server, page } = await open(putPipeline);
    await signIn(page);
    await page.getByRole("button", { name: "Promote to test" }).click();
    await page.getByRole("article", { name: "test" }).getByText("Waiting", { exact: true }).waitFor();
    const promotions = await server.store.list({ kind: "Promotion", where: { "spec.stage": ["test"] } });
    expect(promotions).toMatchObject([
      {
        spec: { freight: "2222222" },
        metadata: { annotations: { "kargo.akuity.io/create-actor": "admin" } },
      },
    ]);
  });

  it("releases a gate by the keyboard alone", async () => {
    const { server, page } = await open(putPipeline);
    await signIn(page);
    await page.getByLabel("Why").focus();
    await page.keyboard.type("looks good");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Release");
    await page.keyboard.press("Enter");
    await page.getByText("This gate is released by admin").waitFor();
    expect(await server.services.gates.get("shop", running, "approval")).toMatchObject({
      state: "released",
      by: "admin",
      answer: "looks good",
    });
  });

  it("tells who comes second how the gate stands", async () => {
    const { server, page } = await open(putPipeline);
    await signIn(page);
    const deny = page.getByRole("button", { name: "Deny" });
    await deny.waitFor();
    // Before the page hears of it: the click is what finds out.
    await page.route("**/*", (route) =>
      route.request().method() === "POST" ? route.continue() : route.abort(),
    );
    const decision = { project: "shop", promotion: running, step: "approval" } as const;
    await server.services.gates.decide({ ...decision, decision: "released", by: "email:jo@example.com" });
    await deny.click();
    await page.getByRole("alert").getByText("it was released by email:jo@example.com").waitFor();
  });

  it("keeps what somebody types while the page changes around it", async () => {
    const { server, page } = await open(putPipeline);
    await signIn(page);
    await page.getByLabel("Why").fill("half a sen");
    await server.put(
      stage("canary"),
      freight("3333333", { alias: "new-owl", discoveredAt: "2030-01-02T03:04:00Z" }),
    );
    await page.getByRole("article", { name: "canary" }).waitFor();
    await page.getByRole("row", { name: /new-owl/ }).waitFor();
    expect(await page.getByLabel("Why").inputValue()).toBe("half a sen");
    expect(await page.evaluate("document.activeElement.name")).toBe("message");
  });

  it("keeps what went wrong while the page goes on to change", async () => {
    const { server, page } = await open(putPipeline);
    await signIn(page);
    await page.route("**/promote", (route) => route.continue({ postData: "freight=gone" }));
    await page.getByRole("button", { name: "Promote to test" }).click();
    const failure = page.getByRole("alert").getByText('"gone"');
    await failure.waitFor();
    await server.put(stage("canary"));
    await page.getByRole("article", { name: "canary" }).waitFor();
    expect(await failure.isVisible()).toBe(true);
    expect(await page.getByText("The connection is lost").isVisible()).toBe(false);
  });

  it("leads to where a link pointed once signed in, and nowhere else", async () => {
    const { page, url } = await open(putPipeline);
    await page.goto(`${url}/gates/shop/${running}/approval`);
    await signIn(page);
    await page.getByRole("heading", { name: "Gate of shop / prod" }).waitFor();
  });

  it.each([
    { what: "narrow", viewport: { width: 360, height: 780 } },
    { what: "wide", viewport: { width: 1600, height: 900 } },
  ])("fits into a $what window", async ({ viewport }) => {
    const { page } = await open(putPipeline, viewport);
    await signIn(page);
    const [needed, there] = (await page.evaluate(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    )) as [number, number];
    expect(needed).toBeLessThanOrEqual(there);
    const tops = await page
      .getByRole("article")
      .evaluateAll((cards) =>
        cards
          .filter((card) => card.matches(".stage"))
          .map((card) => Math.round(card.getBoundingClientRect().top)),
      );
    expect(new Set(tops).size).toBe(viewport.width < 768 ? 3 : 1);
  });

  it("follows the system's light or dark", async () => {
    const { page } = await open(putPipeline);
    const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    await page.emulateMedia({ colorScheme: "light" });
    const light = await ground();
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await ground()).not.toBe(light);
  });

  it("says when it cannot hear the server any more", async () => {
    const { server, page } = await open(putPipeline);
    await signIn(page);
    await page.getByRole("article", { name: "prod", exact: true }).waitFor();
    await page.route("**/*", (route) => route.abort());
    await server.put(stage("canary"));
    await page.getByText("The connection is lost").waitFor();
  });
});
