import ignore from "ignore";

/** Tells whether a path below the folder that the rules are for is to be left out; a folder ends in "/". */
export type IgnoreRules = (path: string) => boolean;

/** Reads rules as a `.gitignore` has them. What Git keeps for itself is left out unless the rules say `!.git`. */
export function ignoreRules(text: string | undefined, { alsoIgnored = [".git"] } = {}): IgnoreRules {
  const rules = ignore({ ignorecase: false, allowRelativePaths: true })
    .add(alsoIgnored)
    .add(text ?? "");
  return (path) => rules.ignores(path);
}
