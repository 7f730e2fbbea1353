import { StepFailure } from "#core/failure.ts";

/** Git's own rules for the names of refs (`git check-ref-format`), and no leading dash, which git would take as an option. */
export function isRefName(name: string): boolean {
  if (name === "" || name === "@" || name.startsWith("-") || name.endsWith(".")) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

/** The branch's name without `refs/heads/`; anything that is no branch's name is refused. */
export function branchName(name: string): string {
  return checked("branch", name.replace(/^refs\/heads\//, ""), name);
}

/** The tag's name without `refs/tags/`; anything that is no tag's name is refused. */
export function tagName(name: string): string {
  return checked("tag", name.replace(/^refs\/tags\//, ""), name);
}

function checked(what: string, name: string, written: string): string {
  if (isRefName(name)) return name;
  throw new StepFailure(
    "refused",
    `Cannot use ${JSON.stringify(written)} as a ${what}: Git allows no such name`,
  );
}

/** A revision as users write it (`3f2a9c`, `main`, `v1~2`); what git would take as an option or a range is refused. */
export function revision(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (text !== "" && !text.startsWith("-") && !/[\u0000-\u0020\u007f]|\.\./.test(text)) return text;
  throw new StepFailure("refused", `Cannot use ${JSON.stringify(text)} as a commit: Git allows no such name`);
}
