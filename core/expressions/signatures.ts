import * as n from "./natures.ts";

type Validate = (args: readonly n.Nature[]) => n.Nature | string;

/** What a built-in takes: a list of overloads, or a function that gives the type of the result or a reason. */
export type BuiltinType = readonly n.Signature[] | Validate;

const { signature, string, int, anything } = n;
const strings = n.sliceOf(string);
const textTest = [signature([string, string], n.bool)];
const textIndex = [signature([string, string], int)];
const bitOperation = [signature([int, int], int)];
const splitting = [signature([string, string], strings), signature([string, string, int], strings)];

const count = (expected: string | number, args: readonly n.Nature[]) =>
  `invalid number of arguments (expected ${expected}, got ${args.length})`;

const kindOf = (nature: n.Nature): string => n.deref(nature).kind;

/** A function of one argument, whose kind must be one of those given. */
function unary(
  kinds: string,
  result: (arg: n.Nature) => n.Nature,
  refuse: (type: string) => string,
): Validate {
  const allowed = new Set(`interface unknown ${kinds}`.split(" "));
  return (args) => {
    const [arg] = args;
    if (args.length !== 1 || !arg) return count(1, args);
    return allowed.has(kindOf(arg)) ? result(arg) : refuse(nameOf(arg));
  };
}

const nameOf = (nature: n.Nature): string => (nature.kind === "nil" ? "nil" : nature.type);

const numbers = "int int64 uint8 uint64 float64";
const invalid = (name: string) => (type: string) => `invalid argument for ${name} (type ${type})`;
const rounding = (name: string) => unary(numbers, () => n.float, invalid(name));
const element = (arg: n.Nature) => (n.isUnknown(arg) ? anything : (arg.element ?? anything));
const list = () => n.list;

const aggregate =
  (name: string): Validate =>
  (args) => {
    if (args.length === 0) return `not enough arguments to call ${name}`;
    for (const arg of args) {
      const kind = kindOf(arg);
      if (kind === "interface" || kind === "unknown" || kind === "slice") return anything;
      if (!numbers.split(" ").includes(kind)) return invalid(name)(nameOf(arg));
    }
    return args[0] as n.Nature;
  };

export const builtinTypes: ReadonlyMap<string, BuiltinType> = new Map<string, BuiltinType>([
  ["len", unary("slice map string", () => int, invalid("len"))],
  ["type", [signature([anything], string)]],
  ["abs", unary(numbers, (arg) => (n.isUnknown(arg) ? anything : arg), invalid("abs"))],
  ["ceil", rounding("ceil")],
  ["floor", rounding("floor")],
  ["round", rounding("round")],
  ["int", unary(`${numbers} string`, () => int, invalid("int"))],
  ["float", unary(`${numbers} string`, () => n.float, invalid("float"))],
  ["string", [signature([anything], string)]],

  ["trim", [signature([string], string), signature([string, string], string)]],
  ["trimPrefix", [signature([string, string], string), signature([string], string)]],
  ["trimSuffix", [signature([string, string], string), signature([string], string)]],
  ["upper", [signature([string], string)]],
  ["lower", [signature([string], string)]],
  ["split", splitting],
  ["splitAfter", splitting],
  [
    "replace",
    [signature([string, string, string, int], string), signature([string, string, string], string)],
  ],
  ["repeat", [signature([string, int], string)]],
  [
    "join",
    [
      signature([n.list, string], string),
      signature([n.list], string),
      signature([strings, string], string),
      signature([strings], string),
    ],
  ],
  ["indexOf", textIndex],
  ["lastIndexOf", textIndex],
  ["hasPrefix", textTest],
  ["hasSuffix", textTest],
  ["toBase64", [signature([string], string)]],
  ["fromBase64", [signature([string], string)]],
  ["toJSON", [signature([anything], string)]],
  ["fromJSON", [signature([string], anything)]],

  ["max", aggregate("max")],
  ["min", aggregate("min")],
  ["mean", aggregate("mean")],
  ["median", aggregate("median")],
  ...["bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr"].map(
    (name): [string, BuiltinType] => [name, bitOperation],
  ),
  ["bitnot", [signature([int], int)]],

  [
    "now",
    (args) => {
      const [zone] = args;
      if (!zone || (args.length === 1 && zone.type === n.location.type)) return n.time;
      return count(0, args);
    },
  ],
  ["duration", [signature([string], n.duration)]],
  [
    "date",
    (args) => {
      if (args.length === 0) return count("at least 1", args);
      const dates = args[0]?.type === n.location.type ? args.slice(1) : args;
      return dates.length > 3 ? count("at most 3", dates) : n.time;
    },
  ],
  ["timezone", [signature([string], n.location)]],

  ["first", unary("slice", element, (type) => `cannot get first element from ${type}`)],
  ["last", unary("slice", element, (type) => `cannot get last element from ${type}`)],
  [
    "take",
    (args) => {
      const [source, size] = args;
      if (args.length !== 2 || !source || !size) return count(2, args);
      if (!n.isUnknown(source) && kindOf(source) !== "slice") return `cannot take from ${nameOf(source)}`;
      if (!n.isUnknown(size) && !["int", "int64"].includes(kindOf(size))) {
        return `cannot take ${nameOf(size)} elements`;
      }
      return n.isUnknown(source) ? anything : source;
    },
  ],
  ["keys", unary("map", list, (type) => `cannot get keys from ${type}`)],
  ["values", unary("map", list, (type) => `cannot get values from ${type}`)],
  ["toPairs", unary("map", list, (type) => `cannot transform ${type} to pairs`)],
  [
    "fromPairs",
    unary(
      "slice",
      () => n.anyMap,
      (type) => `cannot transform ${type} from pairs`,
    ),
  ],
  ["reverse", unary("slice", list, (type) => `cannot reverse ${type}`)],
  ["uniq", unary("slice", list, (type) => `cannot uniq ${type}`)],
  ["flatten", unary("slice", list, (type) => `cannot flatten ${type}`)],
  [
    "concat",
    (args) => {
      if (args.length === 0) return count("at least 1", args);
      const bad = args.find((arg) => !n.isUnknown(arg) && kindOf(arg) !== "slice");
      return bad ? `cannot concat ${nameOf(bad)}` : n.list;
    },
  ],
  [
    "sort",
    [n.list, n.sliceOf(int), n.sliceOf(n.float), strings].flatMap((array) => [
      signature([array, string], n.list),
      signature([array], n.list),
    ]),
  ],
]);
