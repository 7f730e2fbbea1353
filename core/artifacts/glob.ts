/** More alternatives than this are refused: braces multiply. */
const maxAlternatives = 1_000;

/**
 * The regular expression (RE2, to be matched whole) behind a glob pattern as Go's doublestar reads it:
 * `*` and `?` stay in one folder, `**` alone between slashes spans any number of them, `[a-z]`, `[^a]` and
 * `[!a]` are classes, `{a,b}` alternatives, `\` takes away a character's meaning. Undefined for what is
 * no such pattern.
 */
export function globToRegex(glob: string): string | undefined {
  const alternatives = expandBraces(glob);
  if (alternatives === undefined) return undefined;
  const regexes = alternatives.flatMap((plain) => withoutEmptyEnd(plain).map(plainToRegex));
  return regexes.includes(undefined) ? undefined : `(?:${regexes.join("|")})`;
}

/** All patterns that the braces stand for; undefined when they do not match up, or are too many. */
function expandBraces(glob: string): string[] | undefined {
  const open = findUnescaped(glob, 0, "{}");
  if (open === -1) return [glob];
  const parts = glob[open] === "{" ? splitBrace(glob, open) : undefined;
  if (parts === undefined) return undefined;
  const expanded: string[] = [];
  for (const alternative of parts.alternatives) {
    const further = expandBraces(glob.slice(0, open) + alternative + glob.slice(parts.end));
    if (further === undefined || expanded.length + further.length > maxAlternatives) return undefined;
    expanded.push(...further);
  }
  return expanded;
}

/** What stands between the brace at `open` and its partner, and where it goes on after that. */
function splitBrace(glob: string, open: number): { alternatives: string[]; end: number } | undefined {
  const alternatives: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at !== -1; at = findUnescaped(glob, at + 1, "{},")) {
    if (glob[at] === "{") depth++;
    if (glob[at] === "}") depth--;
    if (depth > 1 || (depth === 1 && glob[at] !== ",")) continue;
    alternatives.push(glob.slice(start, at));
    start = at + 1;
    if (depth === 0) return { alternatives, end: at + 1 };
  }
  return undefined;
}

function findUnescaped(glob: string, from: number, characters: string): number {
  for (let at = from; at < glob.length; at++) {
    if (glob[at] === "\\") at++;
    else if (characters.includes(glob[at] ?? "")) return at;
  }
  return -1;
}

/** `a/**` and `a/**` with a slash mean `a` itself too, which might be a folder. */
function withoutEmptyEnd(plain: string): string[] {
  const end = ["/**/", "**/", "/**"].find((candidate) => plain.endsWith(candidate));
  const isEscaped = end !== undefined && plain.at(-end.length - 1) === "\\";
  return end === undefined || isEscaped ? [plain] : [plain, plain.slice(0, -end.length)];
}

function plainToRegex(plain: string): string | undefined {
  let regex = "";
  for (let at = 0; at < plain.length; ) {
    const piece = readPiece(plain, at);
    if (piece === undefined) return undefined;
    regex += piece.regex;
    at = piece.end;
  }
  return regex;
}

interface Piece {
  regex: string;
  /** Where the pattern goes on. */
  end: number;
}

function readPiece(plain: string, at: number): Piece | undefined {
  switch (plain[at]) {
    case "*":
      return readStars(plain, at);
    case "?":
      return { regex: "[^/]", end: at + 1 };
    case "[":
      return readClass(plain, at + 1);
    case "\\": {
      const character = characterAt(plain, at + 1);
      return character === "" ? undefined : { regex: quote(character), end: at + 1 + character.length };
    }
    default: {
      const character = characterAt(plain, at);
      return { regex: quote(character), end: at + character.length };
    }
  }
}

/** `**` spans folders only where it stands for a whole part of the path. */
function readStars(plain: string, at: number): Piece {
  const opensPart = at === 0 || plain[at - 1] === "/";
  if (opensPart && plain.startsWith("**/", at)) return { regex: "(?:[^/]*/)*", end: at + 3 };
  if (opensPart && plain.slice(at) === "**") return { regex: ".*", end: at + 2 };
  return { regex: "[^/]*", end: at + 1 };
}

function readClass(plain: string, start: number): Piece | undefined {
  const isNegated = plain[start] === "^" || plain[start] === "!";
  let at = isNegated ? start + 1 : start;
  let members = "";
  do {
    const from = readMember(plain, at);
    if (from === undefined) return undefined;
    at = from.end;
    if (plain[at] !== "-") {
      members += quoteMember(from.character);
      continue;
    }
    const to = readMember(plain, at + 1);
    if (to === undefined) return undefined;
    at = to.end;
    // A range that runs backwards holds nothing.
    if (from.character <= to.character)
      members += `${quoteMember(from.character)}-${quoteMember(to.character)}`;
  } while (at < plain.length && plain[at] !== "]");
  if (plain[at] !== "]") return undefined;
  const everything = "\\x00-\\x{10FFFF}";
  if (members === "") return { regex: isNegated ? `[${everything}]` : `[^${everything}]`, end: at + 1 };
  return { regex: `[${isNegated ? "^" : ""}${members}]`, end: at + 1 };
}

/** One character of a class; a bare `-` or `]` is none. */
function readMember(plain: string, at: number): { character: string; end: number } | undefined {
  const start = plain[at] === "\\" ? at + 1 : at;
  const character = characterAt(plain, start);
  if (character === "" || (start === at && (character === "-" || character === "]"))) return undefined;
  return { character, end: start + character.length };
}

function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

function quote(character: string): string {
  return /[\\^$.*+?()[\]{}|]/.test(character) ? `\\${character}` : character;
}

function quoteMember(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}
