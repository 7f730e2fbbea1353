import { z } from "zod";
import { listText, numberText } from "#core/metrics/number-text.ts";
import type { Measured } from "#core/metrics/provider.ts";

/** As many groups are told of in a measurement's metadata; the conditions see all of them. */
const toldGroups = 100;

const ScalarAnswer = z.object({
  data: z.object({
    errors: z.string().optional(),
    attributes: z
      .object({
        columns: z
          .array(
            z.object({
              name: z.string().default(""),
              type: z.string().default(""),
              values: z.array(z.unknown()).default([]),
            }),
          )
          .default([]),
      })
      .default({ columns: [] }),
  }),
});
type Column = z.infer<typeof ScalarAnswer>["data"]["attributes"]["columns"][number];

interface Group {
  name: string;
  value: number;
}

/**
 * What Datadog's scalar query answers: the first column of numbers, as one number, or, where columns of tags
 * stand beside it, as a list. `null` stands for no data.
 */
export function grouped(answer: unknown): Measured {
  const { errors, attributes } = ScalarAnswer.parse(answer).data;
  if (errors) throw new Error(`There were errors in your query: ${errors}`);
  const numbers = attributes.columns.find(({ type }) => type === "" || type === "number");
  const tags = attributes.columns.filter(({ type }) => type === "group");
  const groups = (numbers?.values ?? []).flatMap((value, index) => groupOf(value, index, tags));
  const [first] = groups;
  if (first === undefined) return { value: null, text: "[]" };
  if (tags.length === 0) return { value: first.value, text: numberText(first.value) };
  const values = groups.map(({ value }) => value);
  return { value: values, text: listText(values), metadata: told(groups) };
}

function groupOf(value: unknown, index: number, tags: readonly Column[]): Group[] {
  if (value === null) return [];
  if (typeof value !== "number") throw new Error(`could not parse numeric value ${JSON.stringify(value)}`);
  const names = tags.flatMap(({ values }) => {
    const label = z.array(z.string()).min(1).safeParse(values[index]);
    if (label.success) return label.data;
    throw new Error(`could not parse group label at index ${index}`);
  });
  return [{ name: names.join(","), value }];
}

/** Of too many groups the lowest and the highest are told: one of them is what broke the condition. */
function told(groups: readonly Group[]): Record<string, string> {
  if (groups.length <= toldGroups) return { groups: JSON.stringify(groups) };
  const sorted = groups.toSorted((a, b) => a.value - b.value);
  const shown = [...sorted.slice(0, toldGroups / 2), ...sorted.slice(-toldGroups / 2)];
  return { groups: JSON.stringify(shown), groups_truncated: "true" };
}
