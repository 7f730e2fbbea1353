import { linearPattern, literally } from "./linear-pattern.ts";

/** Tells whether a path below the folder that the rules are for is left out; a folder's path ends in "/". */
export type IgnoreRules = (path: string) => boolean;

/** One name of a rule: `**` and the empty one before a leading slash as they are, others compiled. */
type Name = "**" | "" | ((name: string) => boolean) | undefined;

interface Rule {
  /** Names between slashes; one name alone is looked for at every depth. */
  names: readonly Name[];
  keeps: boolean;
  foldersOnly: boolean;
}

/**
 * Reads rules as a `.gitignore` has them, the last that fits deciding. `alsoIgnored` comes before the text,
 * which may take it back. As in Kargo, a rule that keeps a folder keeps all that is in it.
 */
export function ignoreRules(
  text: string | undefined,
  { alsoIgnored = [".git"] }: { alsoIgnored?: readonly string[] } = {},
): IgnoreRules {
  const lines = [...alsoIgnored, ...(text ?? "").split(/\r?\n/)];
  const rules = lines.filter((line) => line.trim() !== "" && !line.startsWith("#")).map(parseRule);
  return (path) => {
    const isFolder = path.endsWith("/");
    const names = path.replace(/\/$/, "").split("/");
    const decisive = rules.findLast((rule) => fits(rule, names, isFolder));
    return decisive !== undefined && !decisive.keeps;
  };
}

function parseRule(line: string): Rule {
  const keeps = line.startsWith("!");
  const unmarked = keeps ? line.slice(1) : line;
  const trimmed = unmarked.endsWith("\\ ") ? unmarked : unmarked.replace(/ +$/, "");
  const foldersOnly = trimmed.endsWith("/");
  const names = (foldersOnly ? trimmed.slice(0, -1) : trimmed).split("/");
  const isPath = names.length > 1;
  const compiled = names.map((name) => (isPath && (name === "**" || name === "") ? name : compileName(name)));
  return { keeps, foldersOnly, names: compiled };
}

function nameFits(wanted: Name, name: string): boolean {
  return typeof wanted === "function" && wanted(name);
}

function fits(rule: Rule, names: readonly string[], isFolder: boolean): boolean {
  const rest = rule.names.length === 1 ? restBehindName(rule.names[0], names) : restBehindPath(rule, names);
  // What a rule for folders fits must be a folder, unless it lies inside of the one that fits.
  return rest !== undefined && (!rule.foldersOnly || isFolder || rest > 0);
}

/** How many names are left behind the first that fits; undefined when none does. */
function restBehindName(wanted: Name, names: readonly string[]): number | undefined {
  const at = names.findIndex((name) => nameFits(wanted, name));
  return at < 0 ? undefined : names.length - at - 1;
}

/** How many names are left behind those that fit from the start on; `**` skips any number of them. */
function restBehindPath({ names: wanted }: Rule, names: readonly string[]): number | undefined {
  let at = 0;
  let matched = false;
  let maySkip = false;
  for (const [index, one] of wanted.entries()) {
    if (one === "") maySkip = false;
    else if (one === "**") maySkip = index < wanted.length - 1;
    else {
      const next = names.findIndex((name, position) => position >= at && nameFits(one, name));
      if (next < 0 || (!maySkip && next !== at)) return undefined;
      at = next + 1;
      matched = true;
      maySkip = false;
    }
  }
  return matched ? names.length - at : undefined;
}

/** `*`, `?`, `[a-z]`, `[^a-z]` and a backslash before what is meant literally. A broken pattern fits nothing. */
function compileName(wanted: string): Name {
  if (/(^|[^\\])\[(?![^\]]+\])/.test(wanted)) return undefined;
  const source = wanted.replace(/\\[\s\S]|\[\^?(?:\\[\s\S]|[^\]\\])+\]|[\s\S]/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    if (part.length > 1 && part.startsWith("[")) return part.replace(/(?<=.)\[/g, "\\[");
    return literally(part.replace(/^\\/, ""));
  });
  try {
    return linearPattern(source);
  } catch {
    return undefined;
  }
}
