import { describe, expect, it, onTestFinished } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { createProjectReconciler } from "#core/projects/project-reconciler.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";

const ref = { kind: "Project", name: "shop" };
const apiVersion = "kargo.akuity.io/v1alpha1";
const healthy = { conditions: [{ type: "Healthy", status: "True" }] };
const steps = { promotionTemplate: { spec: { steps: [{ uses: "fail" }] } } };

const project: Resource = { apiVersion, kind: "Project", metadata: { name: "shop" } };
const member = (kind: string, name: string, spec: object = {}, status?: object): Resource => ({
  apiVersion,
  kind,
  metadata: { name, namespace: "shop" },
  spec,
  ...(status ? { status } : {}),
});

async function start(...resources: Resource[]) {
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(new Uint8Array(32)) });
  onTestFinished(() => store.close());
  const put = (...more: Resource[]) => store.write(more.map((resource) => ({ op: "create", resource })));
  await put(...resources);
  const projects = createProjectReconciler({ store, now: () => new Date("2030-01-02T03:04:05Z") });
  await projects.initial?.();
  const woken: ResourceRef[] = [];
  onTestFinished(store.watch((change) => void woken.push(...(projects.enqueueFor?.(change) ?? []))));
  const status = async () => {
    await projects.reconcile(ref, new AbortController().signal);
    return (await store.get(ref))?.status;
  };
  return { store, put, woken, status };
}

describe("the status of a project", () => {
  it("says that it is ready, and what is in it", async () => {
    const { status } = await start(
      project,
      member("Warehouse", "app", {}, healthy),
      member("Stage", "test", steps, healthy),
      member("Stage", "prod", steps),
      member("Stage", "fan-out", {}),
    );
    expect(await status()).toMatchObject({
      conditions: [{ type: "Ready", status: "True", reason: "Synced" }],
      stats: {
        warehouses: { count: 1, health: { healthy: 1 } },
        stages: { count: 2, health: { healthy: 1 } },
      },
    });
  });

  it("keeps up with what comes, changes and goes", async () => {
    const { store, put, status } = await start(project);
    await put(member("Stage", "test", steps), member("Stage", "prod", steps));
    expect(await status()).toMatchObject({ stats: { stages: { count: 2, health: { healthy: 0 } } } });
    const test = { kind: "Stage", project: "shop", name: "test" };
    await store.write([{ op: "status", ref: test, status: healthy }]);
    expect(await status()).toMatchObject({ stats: { stages: { count: 2, health: { healthy: 1 } } } });
    await store.write([{ op: "delete", ref: test }]);
    expect(await status()).toMatchObject({ stats: { stages: { count: 1, health: { healthy: 0 } } } });
  });

  it("is looked at only for what is news to it", async () => {
    const { store, put, woken, status } = await start(project);
    await put(member("Stage", "test", steps));
    await status();
    woken.length = 0;
    const test = { kind: "Stage", project: "shop", name: "test" };
    await store.write([{ op: "status", ref: test, status: { freightSummary: "1/1" } }]);
    expect(woken).toEqual([]);
    await store.write([{ op: "status", ref: test, status: healthy }]);
    expect(woken).toEqual([ref]);
  });

  it("does not change for nothing, and is not missed when it is gone", async () => {
    const { store, status } = await start(project);
    await status();
    const before = (await store.get(ref))?.metadata.resourceVersion;
    await status();
    expect((await store.get(ref))?.metadata.resourceVersion).toBe(before);
    await store.write([{ op: "delete", ref }]);
    expect(await status()).toBeUndefined();
  });
});
