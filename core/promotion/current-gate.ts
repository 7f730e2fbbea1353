import { type GateResource, gateRef } from "#core/promotion/gate-resource.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { Store } from "#core/store/store.ts";

/** The promotion that a stage has under way; there is one at a time. */
export async function currentPromotion(
  store: Pick<Store, "get">,
  project: string,
  stage: string,
): Promise<Promotion | undefined> {
  const found = (await store.get({ kind: "Stage", project, name: stage })) as Stage | undefined;
  const name = found?.status?.currentPromotion?.name;
  if (name === undefined) return undefined;
  return (await store.get({ kind: "Promotion", project, name })) as Promotion | undefined;
}

/** The gate that a promotion's step has opened, be it decided by now or not. */
export async function gateOf(
  store: Pick<Store, "get">,
  { metadata }: Promotion,
  step: string,
): Promise<GateResource | undefined> {
  const { namespace = "", name, uid } = metadata;
  const gate = (await store.get(gateRef(namespace, name, step))) as GateResource | undefined;
  return gate?.spec.promotionUid === uid ? gate : undefined;
}
