import { describe, expect, it } from "vitest";
import { createArgoHealthChecker } from "#core/argocd/health-check.ts";
import { type ArgoServer, fakeApplication, startArgoServer } from "#test/support/argocd-server.ts";
import { fakeContext } from "#test/support/step-context.ts";

const { signal } = new AbortController();
const { fetch } = fakeContext();
const repoURL = "https://git.example.com/shop.git";
const after = "2030-01-02T03:05:00Z";

/** Looks after Applications of these states, and asks for the desired revisions of each. */
async function check(
  states: object[],
  desiredRevisions: string[] = [],
  prepare?: (argo: ArgoServer) => void,
) {
  const argo = await startArgoServer();
  argo.apps = states.map((state, index) => {
    const app = fakeApplication(`web${index}`);
    const { spec, operation, ...status } = state as Record<string, Record<string, unknown>>;
    return {
      ...app,
      spec: { ...app.spec, ...spec },
      status: { ...app.status, reconciledAt: after, ...status },
      ...(operation ? { operation } : {}),
    };
  });
  prepare?.(argo);
  const checker = createArgoHealthChecker({ argocdFor: async () => argo.connection, fetchWith: () => fetch });
  const apps = argo.apps.map(({ metadata: { name, namespace } }) => ({ name, namespace, desiredRevisions }));
  return { argo, result: await checker({ project: "shop", stage: "test", config: { apps } }, signal) };
}

const done = { operationState: { phase: "Succeeded", finishedAt: "2030-01-02T03:04:05Z" } };
const at = (revision: string) => ({ ...done, sync: { status: "Synced", revision } });
const twoSources = {
  spec: { source: null, sources: [{ repoURL }, { repoURL: "https://charts", chart: "a" }] },
};

describe("the health of a stage by its Applications", () => {
  it.each<{ state: object; desired?: string[]; gives: string; told?: string }>([
    { state: {}, gives: "Healthy" },
    { state: { health: {} }, gives: "Progressing", told: "is progressing" },
    { state: { health: { status: "Progressing" } }, gives: "Progressing", told: "is progressing" },
    { state: { health: { status: "Suspended" } }, gives: "Progressing", told: "is suspended" },
    { state: { health: { status: "Degraded" } }, gives: "Unhealthy", told: '"Degraded"' },
    { state: { health: { status: "Missing" } }, gives: "Unhealthy", told: '"Missing"' },
    { state: { health: { status: "Unknown" } }, gives: "Unhealthy", told: '"Unknown"' },
    {
      state: { conditions: [{ type: "ComparisonError", message: "no repo" }] },
      gives: "Unhealthy",
      told: "no repo",
    },
    { state: { conditions: [{ type: "SharedResourceWarning", message: "-" }] }, gives: "Healthy" },
    { state: { sync: { status: "OutOfSync" } }, gives: "Healthy" },
    { state: { sync: { status: "OutOfSync" } }, desired: [""], gives: "Healthy" },
    { state: at("abc"), desired: ["abc"], gives: "Healthy" },
    { state: at("old"), desired: ["abc"], gives: "Unhealthy", told: 'is at "old", wanted is "abc"' },
    { state: { ...at("old"), health: { status: "Progressing" } }, desired: ["abc"], gives: "Unhealthy" },
    {
      state: { operationState: { phase: "Running" } },
      desired: ["abc"],
      gives: "Unknown",
      told: "is being synced",
    },
    {
      state: { ...at("abc"), operation: { sync: {} } },
      desired: ["abc"],
      gives: "Unknown",
      told: "is being synced",
    },
    { state: {}, desired: ["abc"], gives: "Unknown", told: "is being synced" },
    { state: at("abc"), desired: ["abc", "1.0"], gives: "Unknown", told: "1 sources at 1 revisions" },
    {
      state: { ...done, ...twoSources, sync: { revisions: ["abc", "1.0"] } },
      desired: ["", "1.0"],
      gives: "Healthy",
    },
    {
      state: { ...done, ...twoSources, sync: { revisions: ["abc", "0.9"] } },
      desired: ["", "1.0"],
      gives: "Unhealthy",
      told: "source 1 (https://charts)",
    },
  ])("is $gives for $state and $desired", async ({ state, desired, gives, told }) => {
    const { result } = await check([state], desired);
    expect(result.status).toBe(gives);
    expect(result.issues).toEqual(gives === "Healthy" ? [] : [expect.stringContaining(told ?? "")]);
  });

  it("is that of the worst, and tells of each", async () => {
    const states = [{}, { health: { status: "Progressing" } }, { health: { status: "Degraded" } }];
    const { result } = await check(states);
    expect(result).toMatchObject({
      status: "Unhealthy",
      issues: [expect.stringContaining("web1"), expect.stringContaining("web2")],
      output: {
        applicationStatuses: [
          { Name: "web0", Namespace: "argocd", health: { status: "Healthy" }, sync: { status: "Synced" } },
          { Name: "web1", health: { status: "Progressing" } },
          { Name: "web2", health: { status: "Degraded" } },
        ],
      },
    });
    expect(JSON.stringify(result.output)).not.toContain("reconciledAt");
  });

  it("is unknown until Argo CD has looked at it after its last operation, which it is asked to do", async () => {
    const before = {
      operationState: { phase: "Succeeded", finishedAt: after },
      reconciledAt: "2030-01-02T03:04:59Z",
    };
    const { argo, result } = await check([before]);
    expect(result).toMatchObject({ status: "Unknown", issues: [expect.stringContaining("not trusted")] });
    expect(argo.requests.at(-1)).toContain("refresh=hard");
  });

  it.each([
    {
      what: "the Application may not be read",
      prepare: (argo: ArgoServer) => void argo.rights.clear(),
      told: /403/,
    },
    {
      what: "it is gone",
      prepare: (argo: ArgoServer) => void argo.answers.push([404, "{}"]),
      told: /Cannot find/,
    },
    {
      what: "Argo CD is down",
      prepare: (argo: ArgoServer) => void argo.answers.push([503, ""]),
      told: /503/,
    },
  ])("is unknown when $what", async ({ prepare, told }) => {
    const { result } = await check([{}], [], prepare);
    expect(result).toMatchObject({
      status: "Unknown",
      issues: [expect.stringMatching(told)],
      output: { applicationStatuses: [{ Name: "web0", health: { status: "Unknown" } }] },
    });
  });

  it("of all stages is unknown at once while a server that did not answer is left alone", async () => {
    const argo = await startArgoServer();
    argo.apps = [fakeApplication("web")];
    argo.answers.push([503, "busy"]);
    const checker = createArgoHealthChecker({
      argocdFor: async () => argo.connection,
      fetchWith: () => fetch,
    });
    const about = { project: "shop", config: { apps: [{ name: "web" }] } };
    const first = await checker({ ...about, stage: "test" }, signal);
    const second = await checker({ ...about, stage: "prod" }, signal);
    expect(first).toMatchObject({ status: "Unknown", issues: [expect.stringContaining("503")] });
    expect(second).toEqual(first);
    expect(argo.requests).toHaveLength(1);
  });

  it("is unknown when no Argo CD is set up any more, or the check says nothing", async () => {
    const checker = createArgoHealthChecker({ argocdFor: async () => undefined, fetchWith: () => fetch });
    for (const config of [{ apps: [{ name: "web" }] }, { apps: 1 }]) {
      expect(await checker({ project: "shop", stage: "test", config }, signal)).toMatchObject({
        status: "Unknown",
        issues: [expect.stringContaining("Cannot tell the health")],
      });
    }
  });
});
