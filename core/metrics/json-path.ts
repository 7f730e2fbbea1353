/**
 * JSONPath as Kubernetes understands it, one expression: `{$.data.items[0].ok}`, the braces and the `$` being
 * optional. Names, `['names']`, indexes (from the end too), slices, unions, `*`, `..` and filters such as
 * `[?(@.name=="web")]`.
 */
export type JsonPath = readonly Selector[];

type Selector =
  | { kind: "name"; name: string }
  | { kind: "index"; index: number }
  | { kind: "slice"; from: number | undefined; to: number | undefined; step: number }
  | { kind: "all" }
  | { kind: "descendants" }
  | { kind: "union"; selectors: Selector[] }
  | { kind: "filter"; left: Operand; operator: string | undefined; right: Operand | undefined };

type Operand = { literal: unknown } | { path: JsonPath };

/** Throws an error that says where the text stops being a JSONPath. */
export function parseJsonPath(text: string): JsonPath {
  const inner = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1] ?? text;
  return parsePath(inner.trim().replace(/^[$@]/, ""), text);
}

/** All values that the path leads to. Throws when a name or an index of it is not there. */
export function findAll(path: JsonPath, root: unknown): unknown[] {
  let found = [root];
  let isAnywhere = false;
  for (const selector of path) {
    // What is looked for at any depth need not be in each place.
    found = found.flatMap((value) => (isAnywhere ? selectIfThere(selector, value) : select(selector, value)));
    isAnywhere = selector.kind === "descendants";
  }
  return found;
}

const patterns = {
  name: /^\.((?:\\.|[^.[\]\\\s])+)/,
  descendants: /^\.\.(?=[^.])/,
  bracket: /^\[((?:\?\((?:[^()"']|"[^"]*"|'[^']*')*\))|(?:[^\]"']|"[^"]*"|'[^']*')*)\]/,
};

function parsePath(path: string, whole: string): JsonPath {
  const selectors: Selector[] = [];
  let rest = path === "" || /^[.[]/.test(path) ? path : `.${path}`;
  while (rest !== "") {
    if (patterns.descendants.test(rest)) {
      selectors.push({ kind: "descendants" });
      // The second point begins the name that follows, unless a bracket does.
      rest = rest[2] === "[" ? rest.slice(2) : rest.slice(1);
      continue;
    }
    const [matched, text = ""] = patterns.name.exec(rest) ?? patterns.bracket.exec(rest) ?? [];
    if (matched === undefined) throw new Error(`Cannot read the JSONPath "${whole}": stuck at "${rest}"`);
    selectors.push(matched.startsWith("[") ? parseBracket(text.trim(), whole) : parseName(text));
    rest = rest.slice(matched.length);
  }
  return selectors;
}

function parseName(text: string): Selector {
  return text === "*" ? { kind: "all" } : { kind: "name", name: text.replace(/\\(.)/g, "$1") };
}

function parseBracket(text: string, whole: string): Selector {
  if (text === "*") return { kind: "all" };
  if (text.startsWith("?(")) return parseFilter(text.slice(2, -1).trim(), whole);
  const parts =
    text
      .match(/"[^"]*"|'[^']*'|[^,"']+/g)
      ?.map((part) => part.trim())
      .filter(Boolean) ?? [];
  const selectors = parts.map((part) => parseSubscript(part, whole));
  const [only] = selectors;
  if (only === undefined) throw new Error(`Cannot read the JSONPath "${whole}": "[]" selects nothing`);
  return selectors.length === 1 ? only : { kind: "union", selectors };
}

function parseSubscript(part: string, whole: string): Selector {
  const quoted = /^(["'])(.*)\1$/s.exec(part)?.[2];
  if (quoted !== undefined) return { kind: "name", name: quoted };
  if (/^-?\d+$/.test(part)) return { kind: "index", index: Number(part) };
  const slice = /^(-?\d*):(-?\d*)(?::(-?\d*))?$/.exec(part);
  if (slice === null)
    throw new Error(`Cannot read the JSONPath "${whole}": "${part}" is no name, index or slice`);
  const [from, to, step] = slice.slice(1).map((digits) => (digits ? Number(digits) : undefined));
  return { kind: "slice", from, to, step: step || 1 };
}

function parseFilter(text: string, whole: string): Selector {
  const parts = /^((?:"[^"]*"|'[^']*'|[^=!<>"'])+?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/s.exec(text);
  if (parts === null) throw new Error(`Cannot read the JSONPath "${whole}": "${text}" is no filter`);
  const [, left = "", operator, right] = parts;
  const operand = (source: string): Operand => {
    const trimmed = source.trim();
    const quoted = /^(["'])(.*)\1$/s.exec(trimmed)?.[2];
    if (quoted !== undefined) return { literal: quoted };
    if (/^(true|false|null|-?\d+(\.\d+)?)$/.test(trimmed)) return { literal: JSON.parse(trimmed) };
    return { path: parsePath(trimmed.replace(/^[$@]/, ""), whole) };
  };
  return {
    kind: "filter",
    left: operand(left),
    operator,
    right: right === undefined ? undefined : operand(right),
  };
}

function select(selector: Selector, value: unknown): unknown[] {
  switch (selector.kind) {
    case "name": {
      if (isObject(value) && Object.hasOwn(value, selector.name)) return [value[selector.name]];
      throw new Error(`${selector.name} is not found`);
    }
    case "index": {
      const index =
        Array.isArray(value) && selector.index < 0 ? value.length + selector.index : selector.index;
      if (Array.isArray(value) && index in value) return [value[index]];
      throw new Error(`array index out of bounds: index ${selector.index}`);
    }
    case "slice":
      return Array.isArray(value) ? slice(value, selector) : [];
    case "all":
      return children(value);
    case "descendants":
      return descendants(value);
    case "union":
      return selector.selectors.flatMap((one) => select(one, value));
    case "filter":
      return children(value).filter((item) => fulfils(selector, item));
    default:
      return selector satisfies never;
  }
}

function selectIfThere(selector: Selector, value: unknown): unknown[] {
  try {
    return select(selector, value);
  } catch {
    return [];
  }
}

function slice(items: unknown[], { from, to, step }: Extract<Selector, { kind: "slice" }>): unknown[] {
  return items.slice(from, to).filter((_, index) => index % Math.abs(step) === 0);
}

/** The value and all that is in it, as far as it can have names and indexes. */
function descendants(value: unknown): unknown[] {
  return [
    value,
    ...children(value).flatMap((child) => (typeof child === "object" ? descendants(child) : [])),
  ];
}

function fulfils({ left, operator, right }: Extract<Selector, { kind: "filter" }>, item: unknown): boolean {
  const a = evaluate(left, item);
  if (operator === undefined || right === undefined) return a !== undefined;
  const b = evaluate(right, item);
  if (operator === "==") return a === b;
  if (operator === "!=") return a !== b;
  const areNumbers = typeof a === "number" && typeof b === "number";
  const areTexts = typeof a === "string" && typeof b === "string";
  return (areNumbers || areTexts) && compare(operator, a, b);
}

function compare<T extends number | string>(operator: string, a: T, b: T): boolean {
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}

function evaluate(operand: Operand, item: unknown): unknown {
  if ("literal" in operand) return operand.literal;
  let found = [item];
  for (const selector of operand.path) found = found.flatMap((value) => selectIfThere(selector, value));
  return found[0];
}

function children(value: unknown): unknown[] {
  return isObject(value) ? Object.values(value) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
