import { settleAnnotation } from "#core/artifacts/poll-times.ts";
import { didYouMean } from "#core/nearest-name.ts";
import type { Finding } from "#core/resources/checks/finding.ts";
import { parseDuration } from "#core/resources/duration.ts";
import type { LoadedResource } from "#core/resources/load.ts";
import { requestAnnotation } from "#core/resources/message-channel.ts";
import { keys } from "#core/stages/keys.ts";

/** What is wrong with the value of an annotation; undefined when nothing is. */
type Judge = (value: string) => string | undefined;

const only =
  (word: string): Judge =>
  (value) =>
    value === word
      ? undefined
      : `${JSON.stringify(value)} means nothing here${didYouMean(value, [word]) || `; expected "${word}"`}`;

const duration: Judge = (value) =>
  (parseDuration(value) ?? -1) >= 0
    ? undefined
    : `${JSON.stringify(value)} means nothing here; expected a duration such as 90s, 5m or 1h30m`;

/** The annotations of Towpath's own that people set, by kind. */
const annotationsOf: Record<string, Record<string, Judge>> = {
  Warehouse: { [settleAnnotation]: duration },
  Stage: { [keys.queue]: only("supersede"), [keys.autoPromotion]: only("combination") },
  ClusterMessageChannel: { [requestAnnotation]: only("messages") },
};

/** Annotations that would be passed over in silence: Kubernetes takes any, so that these are warnings. */
export function checkAnnotations(resource: LoadedResource): Finding[] {
  const { kind, metadata } = resource.resource;
  const known = annotationsOf[kind];
  if (known === undefined) return [];
  return Object.entries(metadata.annotations ?? {}).flatMap(([name, value]): Finding[] => {
    if (!name.startsWith("towpath.dev/")) return [];
    const path = ["metadata", "annotations", name];
    const judge = Object.hasOwn(known, name) ? known[name] : undefined;
    if (judge === undefined) {
      const message = `a ${kind} has no annotation "${name}"; it has ${Object.keys(known).join(", ")}`;
      return [{ resource, severity: "warning", path, at: "key", message }];
    }
    const message = judge(value);
    return message === undefined ? [] : [{ resource, severity: "warning", path, message }];
  });
}
