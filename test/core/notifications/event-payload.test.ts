import { describe, expect, it } from "vitest";
import { eventPayload } from "#core/notifications/event-payload.ts";
import { happened } from "#test/core/notifications/notification-world.ts";

describe("an event as expressions see it", () => {
  const common = { project: "shop", actor: "email:jo@example.com", message: "m", id: "7" };
  const freight = {
    name: "f1",
    alias: "jolly-otter",
    stageName: "test",
    images: [{ repoURL: "registry.example.com/app", tag: "v1" }],
  };

  it("tells of a promotion and its freight", () => {
    const annotations = { rollback: "true", "promotion-create-time": "2030-01-02T03:00:00Z" };
    expect(eventPayload(happened({ id: 7, message: "m" }, annotations))).toEqual({
      ...common,
      name: "test.1",
      stageName: "test",
      createTime: "2030-01-02T03:00:00Z",
      rollback: true,
      freight,
    });
  });

  it("tells of freight and its verification", () => {
    const regarding = { kind: "Freight", project: "shop", name: "f1" };
    const annotations = { "analysis-run-name": "run", "verification-start-time": "2030-01-02T03:00:00Z" };
    expect(eventPayload(happened({ id: 7, message: "m", regarding }, annotations))).toEqual({
      ...common,
      ...freight,
      verificationStartTime: "2030-01-02T03:00:00Z",
      analysisRunName: "run",
      analysisTriggeredByPromotion: "test.1",
    });
  });

  it("tells of a gate", () => {
    const annotations = {
      "event.towpath.dev/gate-stage": "test",
      "event.towpath.dev/gate-promotion": "test.1",
      "event.towpath.dev/gate-by": "jo",
      "event.towpath.dev/gate-expires-at": "2030-01-03T00:00:00Z",
    };
    const regarding = { kind: "Gate", project: "shop", name: "test.1.hold" };
    expect(eventPayload({ ...happened({ id: 7, message: "m", regarding }), annotations })).toEqual({
      ...common,
      actor: "jo",
      name: "test.1.hold",
      by: "jo",
      stageName: "test",
      promotionName: "test.1",
      expiresAt: "2030-01-03T00:00:00Z",
    });
  });

  it("tells of a freeze", () => {
    const regarding = { kind: "Project", name: "shop" };
    expect(eventPayload(happened({ id: 7, message: "m", regarding }))).toEqual({
      ...common,
      name: "shop",
      stageName: "test",
    });
  });
});
