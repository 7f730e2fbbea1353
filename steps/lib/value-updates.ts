import { z } from "zod";

/** Configuration that the steps which update values in a file have in common. */
export function valueUpdatesConfig(format: string) {
  return z.strictObject({
    path: z.string().min(1).describe(`Path of the ${format} file, in the workspace.`),
    updates: z
      .array(
        z.strictObject({
          key: z
            .string()
            .min(1)
            .describe(
              "The key to set. Dots part the names of nested keys (`image.tag`), digits select from a list " +
                "(`containers.0.image`), and a backslash takes the meaning from a dot (`example\\.com/version`).",
            ),
          value: z
            .unknown()
            .refine((value) => value !== undefined, "is required")
            .describe("The new value: a string, a number or a boolean."),
        }),
      )
      .min(1)
      .describe("The changes, made in order."),
  });
}

export const commitMessageOutput = z.object({
  commitMessage: z
    .string()
    .optional()
    .describe("Tells what was changed; git-commit can use it as its message."),
});

interface Update {
  key: string;
  value: unknown;
}

/** The message that tells of updates, in Kargo's words. */
export function updatesMessage(
  path: string,
  updates: readonly Update[],
  format: (value: unknown) => string,
): string {
  const lines = updates.map(({ key, value }) => `\n- ${key}: ${format(value)}`);
  return `Updated ${path}\n${lines.join("")}`;
}
