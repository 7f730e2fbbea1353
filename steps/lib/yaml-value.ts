import { isScalar, type Pair, parseAllDocuments, type ScalarTag, type Tags, visit } from "yaml";
import { StepFailure } from "#core/failure.ts";

/**
 * The value of a YAML file as Kargo reads it: the first document, by YAML 1.1 (`yes` and `on` are booleans,
 * `010` is 8), times and sexagesimal numbers left as text, repeated keys allowed with the last one counting.
 */
export function parseYaml(text: string, what: string): unknown {
  const documents = parseAllDocuments(text.replace(/^\ufeff/, ""), {
    version: "1.1",
    merge: true,
    uniqueKeys: false,
    stringKeys: false,
    logLevel: "silent",
    customTags: (tags: Tags) => [...tags.filter((tag) => !isTimeLike(tag)), newOctal],
  });
  const [document] = documents;
  if (document === undefined) return null;
  const [error] = document.errors;
  if (error) throw new StepFailure("errored", `Cannot parse ${what}: ${error.message}`, { cause: error });
  visit(document, {
    Pair(_key, pair) {
      if (!isName(pair))
        throw new StepFailure("errored", `Cannot parse ${what}: a key is neither text nor a number`);
    },
  });
  try {
    return toJsonValue(document.toJS({ maxAliasCount: 1_000 }));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure("errored", `Cannot parse ${what}: ${why}`, { cause: error });
  }
}

/** YAML 1.2's way to write octal numbers, which Kargo's reader knows beside the older one. */
const newOctal: ScalarTag = {
  identify: () => false,
  default: true,
  tag: "tag:yaml.org,2002:int",
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) => Number(text.replace(/[-+_]/g, "")) * (text.startsWith("-") ? -1 : 1),
};

function isTimeLike(tag: Tags[number]): boolean {
  if (typeof tag === "string") return /time/i.test(tag);
  return tag.tag === "tag:yaml.org,2002:timestamp" || tag.format === "TIME";
}

function isName({ key }: Pair): boolean {
  return isScalar(key) && key.value !== null;
}

/** With what JSON can hold: binary data become the text that they are. */
function toJsonValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`JSON has no number ${value}`);
  if (value instanceof Set) return Object.fromEntries([...value].map((key) => [String(key), null]));
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, one]) => [String(key), toJsonValue(one)]));
  }
  if (Array.isArray(value)) return value.map(toJsonValue);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, toJsonValue(one)]));
  }
  return value;
}
