import { linearPattern, literally } from "./linear-pattern.ts";

/** A path pattern, read. */
export interface Glob {
  /** Whether a path fits; "" is the folder that the pattern is relative to. */
  matches(path: string): boolean;
  /** The folder that everything that fits is in, or is: the names before the first that is not plain. */
  base: string;
  /** Only folders fit. */
  foldersOnly: boolean;
}

/**
 * Reads a pattern: `*` and `?` within a name, `**` for any number of folders, `[a-z]`, `[!a]` and `[^a]`,
 * `{a,b}`, and a backslash before what is meant literally. Names with a dot in front are names like others.
 * Throws when it cannot be read: a bracket or a brace that is not closed, a range that runs backwards.
 */
export function readGlob(pattern: string): Glob {
  const foldersOnly = pattern.endsWith("/");
  const plain = foldersOnly ? pattern.slice(0, -1) : pattern;
  const matches = linearPattern(new GlobReader(plain).read());
  const names = plain.split("/");
  const firstPattern = names.findIndex((name) => /[*?[{\\]/.test(name));
  const base = firstPattern < 0 ? names : names.slice(0, firstPattern);
  return { matches, base: base.join("/"), foldersOnly };
}

class GlobReader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The source of a regular expression, up to the end or to one of the characters, which is left standing. */
  read(until = ""): string {
    let source = "";
    while (this.at < this.text.length && !until.includes(this.text[this.at] as string))
      source += this.piece();
    return source;
  }

  private piece(): string {
    // With `/**` at the end, what stands before it fits, too.
    if (this.take(/\/\*\*$/y)) return "(?:/.*)?";
    if (this.isAtNameStart() && this.take(/\*\*$/y)) return ".*";
    if (this.isAtNameStart() && this.take(/\*\*\//y)) return "(?:[^/]+/)*";
    if (this.isAtNameStart() && this.take(/\*+(?=\/|$)/y)) return "[^/]+";
    if (this.take(/\*+/y)) return "[^/]*";
    if (this.take(/\?/y)) return "[^/]";
    const escaped = this.take(/\\([\s\S])/y);
    if (escaped) return literally(escaped[1] as string);
    if (this.text[this.at] === "[") return this.range();
    if (this.take(/\{/y)) return this.alternatives();
    const [char = ""] = this.take(/[\s\S]/uy) ?? [];
    return literally(char);
  }

  private range(): string {
    const found = this.take(/\[([!^]?)((?:\\[\s\S]|[^\]\\])+)\]/y);
    if (!found) throw new SyntaxError('a "[" is not closed');
    const [, negation = "", members = ""] = found;
    const written = members.replace(/\\([\s\S])|[[\]^&~|]/g, (all, char) => literally(char ?? all));
    // A name ends at a slash, whatever else a range leaves out.
    return negation === "" ? `[${written}]` : `[^/${written}]`;
  }

  private alternatives(): string {
    const found: string[] = [];
    do found.push(this.read(",}"));
    while (this.take(/,/y));
    if (!this.take(/\}/y)) throw new SyntaxError('a "{" is not closed');
    return `(?:${found.join("|")})`;
  }

  /** A name may also start with an alternative. */
  private isAtNameStart(): boolean {
    return this.at === 0 || "/{,".includes(this.text[this.at - 1] as string);
  }

  private take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return undefined;
    this.at += found[0].length;
    return found;
  }
}
