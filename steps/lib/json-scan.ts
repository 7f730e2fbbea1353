/** A value inside of an object or a list: where it stands and, in an object, under which name. */
export interface JsonChild {
  name: string | undefined;
  from: number;
  to: number;
}

export function kindOf(char: string | undefined): "object" | "array" | "other" {
  if (char === "{") return "object";
  return char === "[" ? "array" : "other";
}

/** Where the next value begins, from `at` on. */
export function valueStart(text: string, at = 0): number {
  let start = at;
  while (start < text.length && /[\s,:\ufeff]/.test(text[start] as string)) start += 1;
  return start;
}

/** Where the value that begins at `start` ends. Lenient: what is not JSON ends somewhere, too. */
export function valueEnd(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return stringEnd(text, start);
  if (kindOf(first) === "other") {
    const rest = /[\s,:\]}]/.exec(text.slice(start));
    return rest ? start + Math.max(1, rest.index) : text.length;
  }
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const char = text[at];
    if (char === '"') {
      at = stringEnd(text, at);
      continue;
    }
    if (char === "{" || char === "[") depth += 1;
    if (char === "}" || char === "]") depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return text.length;
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** The values directly inside of the object or list that begins at `start`. */
export function childrenOf(text: string, start: number): JsonChild[] {
  const isObject = text[start] === "{";
  const children: JsonChild[] = [];
  let at = valueStart(text, start + 1);
  while (at < text.length && text[at] !== "}" && text[at] !== "]") {
    let name: string | undefined;
    if (isObject) {
      const nameEnd = valueEnd(text, at);
      name = nameOf(text.slice(at, nameEnd));
      at = valueStart(text, nameEnd);
    }
    const to = valueEnd(text, at);
    children.push({ name, from: at, to });
    at = valueStart(text, to);
  }
  return children;
}

function nameOf(raw: string): string {
  try {
    return String(JSON.parse(raw));
  } catch {
    return raw;
  }
}
