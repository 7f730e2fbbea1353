import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Daemon, startDaemon } from "#server/daemon.ts";
import { runCli } from "#test/support/cli.ts";

const kargo = "kargo.akuity.io/v1alpha1";
const repoURL = "https://git.example.com/app.git";
const origin = { kind: "Warehouse", name: "app" };

const manifest = [
  { apiVersion: kargo, kind: "Project", metadata: { name: "shop" } },
  {
    apiVersion: kargo,
    kind: "Warehouse",
    metadata: { name: "app", namespace: "shop" },
    spec: { freightCreationPolicy: "Manual", interval: "24h", subscriptions: [{ git: { repoURL } }] },
  },
  {
    apiVersion: kargo,
    kind: "ProjectConfig",
    metadata: { name: "shop", namespace: "shop" },
    spec: {
      promotionWindows: [
        {
          name: "never",
          kind: "Deny",
          stageSelector: { name: "failing" },
          dtstart: "20260101T000000Z",
          dtend: "20260102T000000Z",
        },
      ],
    },
  },
  stage("plain", [{ uses: "compose-output", as: "compose", config: { greeting: "hello" } }]),
  stage("gated", [{ uses: "gate", as: "ask", config: { message: "Go on?" } }]),
  stage("failing", [{ uses: "fail", config: { message: "not today" } }]),
  {
    apiVersion: kargo,
    kind: "Freight",
    metadata: { name: "any", namespace: "shop" },
    alias: "happy-otter",
    origin,
    commits: [{ repoURL, id: "1".repeat(40) }],
  },
];

function stage(name: string, steps: unknown[]) {
  return {
    apiVersion: kargo,
    kind: "Stage",
    metadata: { name, namespace: "shop" },
    spec: {
      requestedFreight: [{ origin, sources: { direct: true } }],
      promotionTemplate: { spec: { steps } },
    },
  };
}

/** The lines of a Stage that asks for no freight. */
function badStage(name: string, spec = "shard: ''") {
  return [
    `apiVersion: ${kargo}`,
    "kind: Stage",
    `metadata: { name: ${name}, namespace: yard }`,
    `spec: { ${spec} }`,
  ];
}

describe("the command line against a daemon", () => {
  let root: string;
  let daemon: Daemon;
  let env: NodeJS.ProcessEnv;
  const towpath = (...args: string[]) => runCli(args, { env });

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "towpath-cli-"));
    daemon = await startDaemon({
      data: join(root, "data"),
      host: "127.0.0.1",
      port: 0,
      allowNet: [],
      env: {},
      logTo: new PassThrough().resume(),
    });
    env = { TOWPATH_SERVER: daemon.url, TOWPATH_DATA: join(root, "data"), TOWPATH_PROJECT: "shop" };
    await writeFile(join(root, "all.yaml"), manifest.map((each) => JSON.stringify(each)).join("\n---\n"));
    const applied = await towpath("apply", "-f", join(root, "all.yaml"));
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    expect(applied.stdout).toContain("stage shop/plain created");
  });
  afterAll(async () => {
    await daemon.stop();
    await rm(root, { recursive: true, force: true });
  });

  it("updates what is there already", async () => {
    const { stdout } = await towpath("apply", "-f", join(root, "all.yaml"));
    expect(stdout).toContain("stage shop/plain updated");
  });

  it.each([
    { args: ["get", "projects"], shows: "shop" },
    { args: ["get", "stages"], shows: "plain" },
    { args: ["get", "stage", "gated", "-o", "name"], shows: "stage/gated" },
    { args: ["get", "warehouses"], shows: "app" },
    { args: ["get", "freight"], shows: "happy-otter" },
    { args: ["get", "stages", "-o", "yaml"], shows: "kind: List" },
    { args: ["get", "projectconfig", "-o", "name"], shows: "projectconfig/shop" },
    { args: ["describe", "project-config", "shop"], shows: "promotionWindows:" },
    { args: ["describe", "stage", "plain"], shows: "compose-output" },
    { args: ["gates"], shows: "" },
    { args: ["refresh", "warehouse", "app"], shows: "refresh requested" },
    { args: ["explain"], shows: "git-clone" },
    { args: ["version"], shows: "towpath " },
    { args: ["completion", "bash"], shows: "complete -o default -F _towpath towpath" },
  ])("$args", async ({ args, shows }) => {
    const { code, stdout } = await towpath(...args);
    expect(stdout).toContain(shows);
    expect(code).toBe(0);
  });

  it("deletes the one config of a project by its own name only", async () => {
    expect(await towpath("delete", "projectconfig", "yard")).toMatchObject({
      code: 1,
      stderr: 'error: There is no ProjectConfig "yard"\n  try: the only one is called "shop"\n',
    });
    expect(await towpath("get", "projectconfig", "shop", "-o", "name")).toMatchObject({ code: 0 });
    expect(await towpath("delete", "projectconfig", "shop")).toMatchObject({ code: 0 });
    expect(await towpath("get", "projectconfig")).toMatchObject({ code: 1 });
  });

  it("stops the line and lets it go on", async () => {
    expect(await towpath("freeze", "plain", "-m", "a bad day")).toMatchObject({
      code: 0,
      stdout: "stage plain frozen\n",
    });
    expect(await towpath("freeze", "-m", "a worse one")).toMatchObject({ stdout: "project shop frozen\n" });
    expect((await towpath("freezes")).stdout).toMatch(/shop +plain .*admin +a bad day\n/);
    expect(await towpath("freeze", "plain", "--all", "-m", "x")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--all"),
    });
    expect(await towpath("unfreeze", "plain")).toMatchObject({ code: 0 });
    expect(await towpath("unfreeze")).toMatchObject({ stdout: "project shop no longer frozen\n" });
    expect(await towpath("freezes")).toMatchObject({ code: 0, stderr: "Nothing is frozen\n" });
    expect(await towpath("unfreeze", "plain")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no freeze"),
    });
  });

  it("prints JSON that is JSON", async () => {
    const { stdout } = await towpath("get", "stages", "-o", "json");
    const { items } = JSON.parse(stdout) as { items: { metadata: { name: string } }[] };
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(["failing", "gated", "plain"]);
  });

  it("promotes and shows the steps live", async () => {
    const { code, stdout } = await towpath(
      "promote",
      "--stage",
      "plain",
      "--freight-alias",
      "happy-otter",
      "--wait",
    );
    expect(stdout).toMatch(/promotion plain\.\S+ created/);
    expect(stdout).toContain("✓ compose (compose-output)");
    expect(stdout).toContain("promotion succeeded");
    expect(code).toBe(0);
  });

  it("ends with code 1 when the promotion fails, and says why", async () => {
    const { code, stdout, stderr } = await towpath(
      "promote",
      "--stage",
      "failing",
      "--freight",
      "happy-otter",
      "--wait",
    );
    expect(stdout).toContain("not today");
    expect(stderr).toContain("did not succeed");
    expect(code).toBe(1);
  });

  it("lists a gate, releases it once, and tells the second who was first", async () => {
    const promotion = await promoteToGate();
    expect((await towpath("gates")).stdout).toContain("Go on?");
    expect((await towpath("release", promotion, "-m", "looks good")).stdout).toContain("gate ask");
    const again = await towpath("deny", promotion, "ask");
    expect(again.stderr).toContain("it was released");
    expect(again.code).toBe(1);
    await until(async () => (await phaseOf(promotion)) === "Succeeded");
  });

  it("denies a gate", async () => {
    const promotion = await promoteToGate();
    await towpath("deny", promotion);
    await until(async () => (await phaseOf(promotion)) === "Failed");
    expect((await towpath("describe", "promotion", promotion)).stdout).toMatch(/ GateDenied /);
  });

  it("aborts what waits", async () => {
    const promotion = await promoteToGate();
    await towpath("abort", promotion);
    await until(async () => (await phaseOf(promotion)) === "Aborted");
  });

  it.each([
    { args: ["get", "stagez"], says: 'Unknown kind "stagez"', tries: 'did you mean "stages"?' },
    { args: ["get", "stage", "none"], says: "none", tries: "" },
    {
      args: ["get", "stages", "--server", "http://127.0.0.1:1"],
      says: "Cannot reach the daemon",
      tries: "towpath serve",
    },
    { args: ["get", "stages", "--server", "nonsense"], says: "must start with http", tries: "" },
    { args: ["get", "stages", "--token", "wrong"], says: "error:", tries: "--token" },
    { args: ["promote", "--stage", "plain"], says: "Nothing to promote", tries: "--freight" },
    { args: ["promote", "--stage", "none", "--freight", "happy-otter"], says: '"none"', tries: "" },
    { args: ["apply", "-f", "/no/such/file"], says: "no such file or folder", tries: "" },
    { args: ["refresh", "freight", "any"], says: "cannot be refreshed", tries: "warehouses" },
    { args: ["release", "nothing.here"], says: "has no open gate", tries: "gates" },
    { args: ["explain", "git-clonee"], says: "There is no step", tries: "git-clone" },
    { args: ["completion", "tcsh"], says: 'No completion for "tcsh"', tries: "bash" },
  ])("$args ends with one clear error", async ({ args, says, tries }) => {
    const { code, stdout, stderr } = await towpath(...args);
    expect(stderr).toContain(says);
    expect(stderr).toContain(tries);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });

  it("names the file and line of each manifest that is refused, and applies the others", async () => {
    const [project, nameless] = [join(root, "a-project.yaml"), join(root, "b-stages.yaml")];
    await writeFile(
      project,
      "kind: Project\napiVersion: kargo.akuity.io/v1alpha1\nmetadata: { name: yard }\n",
    );
    await writeFile(
      nameless,
      [
        "# two of them",
        "---",
        ...badStage("one"),
        "---",
        ...badStage("two", "requestedFreigth: []"),
        "",
      ].join("\n"),
    );
    const { code, stdout, stderr } = await towpath("apply", "-f", project, "-f", nameless);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "project yard created\n" });
    expect(stderr).toContain(`${nameless}:3: `);
    expect(stderr).toContain(`${nameless}:8: `);
    expect(stderr).toContain("requestedFreigth");
  });

  it("lists what happened in the project", async () => {
    const { stdout } = await towpath("get", "events");
    expect(stdout).toMatch(/^AGE +REASON +OF +MESSAGE\n/);
    expect(stdout).toMatch(/PromotionCreated +Promotion\/plain\./);
  });

  it("says of a promotion to a frozen stage what it waits for", async () => {
    await towpath("freeze", "plain", "-m", "incident 42");
    const { stdout } = await towpath("promote", "--stage", "plain", "--freight", "happy-otter");
    await towpath("unfreeze", "plain");
    expect(stdout).toMatch(
      /promotion \S+ created\nit waits: Stage "plain" is frozen by "admin": incident 42/,
    );
  });

  it("passes on what the daemon advises", async () => {
    const file = join(root, "homeless.yaml");
    const spec = { subscriptions: [{ git: { repoURL } }] };
    const metadata = { name: "app", namespace: "nowhere" };
    await writeFile(file, JSON.stringify({ apiVersion: kargo, kind: "Warehouse", metadata, spec }));
    expect((await towpath("apply", "-f", file)).stderr).toContain("  try: Apply the Project first");
  });

  it("names the place of a manifest that is alone, and of YAML that cannot be read", async () => {
    const [alone, broken] = [join(root, "alone.yaml"), join(root, "broken.yaml")];
    await writeFile(alone, ["", ...badStage("one"), ""].join("\n"));
    await writeFile(broken, "kind: Stage\n  metadata: [\n");
    expect((await towpath("apply", "-f", alone)).stderr).toContain(`error: ${alone}:2: `);
    expect((await towpath("apply", "-f", broken)).stderr).toContain(
      `error: ${broken}:1:7: cannot read the YAML`,
    );
  });

  it.each([[["promoet"]], [["get"]], [["apply"]], [["get", "stages", "-o", "xml"]]])(
    "a wrong command line ends with code 2: %s",
    async (args) => {
      const { code, stderr } = await towpath(...args);
      expect(stderr).toContain("error:");
      expect(code).toBe(2);
    },
  );

  async function freightName(): Promise<string> {
    const { stdout } = await towpath("get", "freight", "-o", "name");
    return stdout.trim().replace("freight/", "");
  }

  async function promoteToGate(): Promise<string> {
    const { stdout } = await towpath("promote", "--stage", "gated", "--freight", await freightName());
    const name = /promotion (\S+) created/.exec(stdout)?.[1] ?? "";
    await until(async () => (await towpath("gates", "-o", "json")).stdout.includes(name));
    return name;
  }

  async function phaseOf(promotion: string): Promise<string | undefined> {
    const { stdout } = await towpath("get", "promotion", promotion, "-o", "json");
    return (JSON.parse(stdout) as { status?: { phase?: string } }).status?.phase;
  }
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await condition()).toBe(true);
}
