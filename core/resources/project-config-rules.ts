import { parseNamePattern } from "#core/artifacts/patterns.ts";
import type { ClusterConfig } from "#core/resources/cluster-config.ts";
import type { FieldError } from "#core/resources/field-error.ts";
import { formatPath, type Path } from "#core/resources/path.ts";
import type { ProjectConfig, PromotionPolicy } from "#core/resources/project-config.ts";
import type { PromotionWindow } from "#core/resources/promotion-window.ts";
import type { GenericWebhookTarget, WebhookReceiverConfig } from "#core/resources/webhook-receiver.ts";
import { windowTimeErrors } from "#core/windows/window-rules.ts";

/** The name of the one ClusterConfig. */
export const clusterConfigName = "cluster";

/** Kargo's rules for a ProjectConfig. */
export function projectConfigErrors({ metadata, spec }: ProjectConfig): FieldError[] {
  const errors: FieldError[] = [];
  if (metadata.namespace !== undefined && metadata.name !== metadata.namespace) {
    errors.push({
      path: ["metadata", "name"],
      message: `a ProjectConfig carries its project's name: expected "${metadata.namespace}", found "${metadata.name}"`,
    });
  }
  return [
    ...errors,
    ...policyErrors(spec?.promotionPolicies ?? []),
    ...receiverErrors(spec?.webhookReceivers ?? []),
    ...windowErrors(spec?.promotionWindows ?? [], "project"),
  ];
}

/** Kargo's rules for the ClusterConfig. */
export function clusterConfigErrors({ metadata, spec }: ClusterConfig): FieldError[] {
  const errors: FieldError[] = [];
  if (metadata.name !== clusterConfigName) {
    const message = `the ClusterConfig has the name "${clusterConfigName}", found "${metadata.name}"`;
    errors.push({ path: ["metadata", "name"], message });
  }
  return [
    ...errors,
    ...receiverErrors(spec?.webhookReceivers ?? []),
    ...windowErrors(spec?.promotionWindows ?? [], "cluster"),
  ];
}

function policyErrors(policies: readonly PromotionPolicy[]): FieldError[] {
  const firstByStage = new Map<string, number>();
  return policies.flatMap((policy, index) => {
    const path: Path = ["spec", "promotionPolicies", index];
    if ((policy.stage === undefined) === (policy.stageSelector === undefined)) {
      return [{ path, message: 'a policy has exactly one of "stage" and "stageSelector"' }];
    }
    const name = policy.stageSelector ? policy.stageSelector.name : policy.stage;
    if (!name) return [];
    if (name.includes(":")) return patternErrors(name, [...path, "stageSelector", "name"]);
    const first = firstByStage.get(name);
    if (first === undefined) {
      firstByStage.set(name, index);
      return [];
    }
    return [{ path, message: `the stage "${name}" has policy ${first + 1} already` }];
  });
}

function patternErrors(pattern: string, path: Path): FieldError[] {
  const prefix = pattern.slice(0, pattern.indexOf(":"));
  if (!["glob", "regex", "regexp"].includes(prefix)) {
    return [{ path, message: `"${prefix}:" is no kind of pattern; expected glob:, regex: or regexp:` }];
  }
  try {
    parseNamePattern(pattern, formatPath(path));
    return [];
  } catch (error) {
    return [{ path, message: error instanceof Error ? error.message : String(error) }];
  }
}

function windowErrors(windows: readonly PromotionWindow[], scope: "project" | "cluster"): FieldError[] {
  const firstByName = new Map<string, number>();
  return windows.flatMap((window, index) => {
    const path: Path = ["spec", "promotionWindows", index];
    const errors: FieldError[] = [];
    const first = firstByName.get(window.name);
    if (first === undefined) firstByName.set(window.name, index);
    else {
      const message = `the name "${window.name}" is taken by window ${first + 1} already`;
      errors.push({ path: [...path, "name"], message });
    }
    if (scope === "project" && window.projectSelector !== undefined) {
      const message = "a window of a ProjectConfig is for that project; only ClusterConfig selects projects";
      errors.push({ path: [...path, "projectSelector"], message });
    }
    for (const selector of ["stageSelector", "projectSelector"] as const) {
      const name = window[selector]?.name;
      if (name?.includes(":")) errors.push(...patternErrors(name, [...path, selector, "name"]));
    }
    return [...errors, ...windowTimeErrors(window, path)];
  });
}

function receiverErrors(receivers: readonly WebhookReceiverConfig[]): FieldError[] {
  const firstByName = new Map<string, number>();
  return receivers.flatMap((receiver, index) => {
    const path: Path = ["spec", "webhookReceivers", index];
    const { name, ...types } = receiver;
    const errors: FieldError[] = [];
    const first = firstByName.get(name);
    if (first === undefined) firstByName.set(name, index);
    else
      errors.push({
        path: [...path, "name"],
        message: `the name "${name}" is taken by receiver ${first + 1} already`,
      });
    const given = Object.entries(types).flatMap(([type, config]) => (config === undefined ? [] : [type]));
    if (given.length > 1) {
      errors.push({ path, message: `a receiver is for one platform, found ${given.join(" and ")}` });
    }
    return [...errors, ...targetErrors(receiver, path)];
  });
}

function targetErrors({ generic }: WebhookReceiverConfig, path: Path): FieldError[] {
  return (generic?.actions ?? []).flatMap(({ targetSelectionCriteria = [] }, action) =>
    targetSelectionCriteria.flatMap((target, index) =>
      selectsNothing(target)
        ? [
            {
              path: [...path, "generic", "actions", action, "targetSelectionCriteria", index],
              message: "a target needs at least one of name, labelSelector and indexSelector",
            },
          ]
        : [],
    ),
  );
}

function selectsNothing({ name, labelSelector, indexSelector }: GenericWebhookTarget): boolean {
  const { matchLabels = {}, matchExpressions = [] } = labelSelector ?? {};
  return (
    !name &&
    Object.keys(matchLabels).length === 0 &&
    matchExpressions.length === 0 &&
    (indexSelector?.matchIndices ?? []).length === 0
  );
}
