import { type ApiClient, apiPath } from "#cli/api-client.ts";
import type { Gate } from "#cli/commands/gates.ts";
import { openGates } from "#cli/commands/gates.ts";
import { demoProject } from "#cli/demo/quickstart.ts";
import { type CliIO, print } from "#cli/io.ts";
import { createPromotionView, type PromotionView } from "#cli/promotion-view.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Stage } from "#core/resources/stage.ts";

/** Tells what happens in the project, as it happens. */
export interface Story {
  /** Until the signal is aborted. Calls back once for each gate that opens, one after the other. */
  follow(onGate: (gate: Gate) => Promise<void>): Promise<void>;
}

export function createStory(client: ApiClient, io: CliIO, signal: AbortSignal): Story {
  const views = new Map<string, PromotionView>();
  const aliases = new Map<string, string>();
  const gatesSeen = new Set<string>();
  const lastVerified = new Map<string, string>();

  const nameOf = (freight: string | undefined) => aliases.get(freight ?? "") ?? freight?.slice(0, 7) ?? "";

  function tellFreight({ metadata, alias, commits }: Freight): void {
    if (aliases.has(metadata.name)) return;
    aliases.set(metadata.name, `${commits?.[0]?.tag ?? ""} (${alias ?? metadata.name.slice(0, 7)})`);
    print(io, `warehouse  found ${nameOf(metadata.name)}`);
  }

  function viewOf({ metadata, spec }: Promotion): PromotionView {
    const known = views.get(metadata.name);
    if (known) return known;
    const label = spec.stage.padEnd(11);
    print(io, `${label}promoting ${nameOf(spec.freight)}: ${metadata.name}`);
    const view = createPromotionView(io, label);
    views.set(metadata.name, view);
    return view;
  }

  function tellStage({ metadata, status }: Stage): void {
    const verification = status?.freightHistory?.[0]?.verificationHistory?.[0];
    if (!verification?.phase) return;
    const text = `${verification.id} ${verification.phase}`;
    if (lastVerified.get(metadata.name) === text) return;
    lastVerified.set(metadata.name, text);
    print(io, `${metadata.name.padEnd(11)}verification ${verification.phase.toLowerCase()}`);
  }

  async function watch<T>(folder: string, tell: (resource: T) => unknown): Promise<void> {
    const path = apiPath("projects", demoProject, folder);
    for await (const event of client.events(path, { query: { watch: "true" }, signal })) {
      const { type, object } = JSON.parse(event.data) as { type: string; object: T };
      if (type !== "DELETED") await tell(object);
    }
  }

  return {
    async follow(onGate) {
      const tellPromotion = async (promotion: Promotion) => {
        viewOf(promotion).update(promotion);
        for (const gate of await openGates(client, demoProject)) {
          const key = `${gate.promotion} ${gate.step}`;
          if (gatesSeen.has(key)) continue;
          gatesSeen.add(key);
          await onGate(gate);
        }
      };
      await Promise.all([
        watch<Freight>("freight", tellFreight),
        watch<Promotion>("promotions", tellPromotion),
        watch<Stage>("stages", tellStage),
      ]);
    },
  };
}
