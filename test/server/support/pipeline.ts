import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { freight, project, promotion, stage, warehouse } from "#test/server/support/resources.ts";
import type { TestServer } from "#test/server/support/test-server.ts";

const origin = { kind: "Warehouse" as const, name: "app" };
const image = (tag: string) => [{ repoURL: "registry.example.com/shop/app", tag }];
export const running = "prod.01h00000000000000000000000.1111111";

/** A pipeline in the middle of a day: test is steady, staging has failed, prod is promoting and waits at a gate. */
export async function putPipeline(server: TestServer): Promise<void> {
  await server.put(
    project(),
    project("tools"),
    warehouse(),
    holding("test", "2222222", "1.5.0", { requestedFreight: [{ origin, sources: { direct: true } }] }),
    holding("staging", "1111111", "1.4.2", after("test"), {
      lastPromotion: {
        name: "staging.0",
        finishedAt: "2030-01-02T02:00:00Z",
        status: { phase: "Errored", message: "Cannot push to main: <b>the remote</b> went away" },
      },
    }),
    holding("prod", "0000000", "1.4.1", after("staging"), { currentPromotion: { name: running } }),
    freight("2222222", { alias: "quick-fox", images: image("1.5.0"), discoveredAt: "2030-01-02T03:00:00Z" }),
    freight("1111111", {
      alias: "slow-hare",
      images: image("1.4.2"),
      discoveredAt: "2030-01-01T03:00:00Z",
      status: { verifiedIn: { test: {}, staging: {} }, currentlyIn: { staging: {} } },
    }),
    promotion(running, promoting(), {
      phase: "Running",
      startedAt: "2030-01-02T03:04:00Z",
      currentStep: 1,
      stepExecutionMetadata: [
        {
          alias: "clone",
          status: "Succeeded",
          startedAt: "2030-01-02T03:04:00Z",
          finishedAt: "2030-01-02T03:04:01Z",
        },
        {
          alias: "approval",
          status: "Running",
          message: "Release 1.4.2 to prod?",
          startedAt: "2030-01-02T03:04:01Z",
        },
      ],
    }),
    gate(),
  );
}

function promoting() {
  const steps = [
    { uses: "git-clone", as: "clone" },
    { uses: "gate", as: "approval" },
    { uses: "git-push", as: "push" },
  ];
  return { stage: "prod", freight: "1111111", steps };
}

function after(upstream: string): Partial<Stage["spec"]> {
  return { requestedFreight: [{ origin, sources: { stages: [upstream] } }] };
}

function holding(
  name: string,
  held: string,
  tag: string,
  spec: Partial<Stage["spec"]>,
  status: Partial<Stage["status"]> = {},
): Resource {
  const items = { "Warehouse/app": { name: held, origin, images: image(tag) } };
  const verificationHistory = [{ id: "1", phase: "Successful" as const }];
  return stage(name, spec, { freightHistory: [{ id: held, items, verificationHistory }], ...status });
}

function gate(): Resource {
  return {
    apiVersion: "towpath.dev/v1alpha1",
    kind: "Gate",
    metadata: { name: `${running}.approval`, namespace: "shop" },
    spec: {
      promotion: running,
      promotionUid: "1",
      stage: "prod",
      step: "approval",
      message: "Release 1.4.2 to prod?",
    },
  };
}
