import { isPair, isScalar, parseAllDocuments, visit } from "yaml";

/**
 * The text of a kustomization in which entries have become others: all texts that `replaced` knows, alone or
 * behind a key (`name=entry`), but for those in fields for which `isInert` holds. All else stays as it is written.
 */
export function rewriteEntries(
  source: string,
  replaced: ReadonlyMap<string, string>,
  isInert: (fields: readonly string[]) => boolean,
): string {
  const edits: { from: number; to: number; text: string }[] = [];
  for (const document of parseAllDocuments(source, { version: "1.1", merge: true, logLevel: "silent" })) {
    visit(document, {
      Scalar(key, node, ancestors) {
        if (key === "key" || typeof node.value !== "string" || !node.range) return;
        const [, name = "", entry = ""] = /^([^=]*=)?(.*)$/s.exec(node.value) ?? [];
        const whole = replaced.get(node.value);
        const now = whole ?? replaced.get(entry);
        const fields = ancestors.flatMap((one) =>
          isPair(one) && isScalar(one.key) ? [String(one.key.value)] : [],
        );
        if (now === undefined || isInert(fields)) return;
        const [from, to] = node.range;
        const end = source[to - 1] === "\n" ? "\n" : "";
        edits.push({ from, to, text: JSON.stringify(whole === undefined ? name + now : now) + end });
      },
    });
  }
  let text = source;
  for (const { from, to, text: now } of edits.sort((a, b) => b.from - a.from)) {
    text = text.slice(0, from) + now + text.slice(to);
  }
  return text;
}
