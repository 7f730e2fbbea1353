/** Go's kinds, as far as types of expressions have them; `unknown` where only the run will tell. */
export type Kind =
  | "unknown"
  | "nil"
  | "bool"
  | "int"
  | "int64"
  | "uint8"
  | "uint64"
  | "float64"
  | "string"
  | "slice"
  | "map"
  | "struct"
  | "pointer"
  | "func"
  | "interface";

/** What is known of the type of a part of an expression before it is run. */
export interface Nature {
  readonly kind: Kind;
  /** Go's name for the type; two types are the same when they have the same name. */
  readonly type: string;
  readonly key?: Nature;
  readonly element?: Nature;
  readonly fields?: Readonly<Record<string, Nature>>;
  readonly methods?: Readonly<Record<string, Signature>>;
  /** Of functions: what they take and give, one for each overload. */
  readonly signatures?: readonly Signature[];
}

export interface Signature {
  readonly params: readonly Nature[];
  readonly result: Nature;
}

export const unknown: Nature = { kind: "unknown", type: "unknown" };
export const nil: Nature = { kind: "nil", type: "unknown" };
export const anything: Nature = { kind: "interface", type: "interface {}" };
export const bool: Nature = { kind: "bool", type: "bool" };
export const int: Nature = { kind: "int", type: "int" };
export const int64: Nature = { kind: "int64", type: "int64" };
export const uint8: Nature = { kind: "uint8", type: "uint8" };
export const uint64: Nature = { kind: "uint64", type: "uint64" };
export const float: Nature = { kind: "float64", type: "float64" };
export const string: Nature = { kind: "string", type: "string" };
export const bytes: Nature = { kind: "slice", type: "[]uint8", element: uint8 };
export const list: Nature = arrayOf(anything);
export const map: Nature = mapOf(string, anything);
export const anyMap: Nature = mapOf(anything, anything);

/** An array that expressions make: []any, whatever is known of its elements. */
export function arrayOf(element: Nature): Nature {
  return { kind: "slice", type: "[]interface {}", element };
}

/** An array of one Go type. */
export function sliceOf(element: Nature): Nature {
  return { kind: "slice", type: `[]${element.type}`, element };
}

export function mapOf(key: Nature, element: Nature): Nature {
  return { kind: "map", type: `map[${key.type}]${element.type}`, key, element };
}

export function struct(type: string, fields: Readonly<Record<string, Nature>>): Nature {
  return { kind: "struct", type, fields };
}

export function func(...signatures: Signature[]): Nature {
  return { kind: "func", type: "func", signatures };
}

export function signature(params: readonly Nature[], result: Nature): Signature {
  return { params, result };
}

const month: Nature = { kind: "int", type: "time.Month", methods: { String: signature([], string) } };
const weekday: Nature = { kind: "int", type: "time.Weekday", methods: { String: signature([], string) } };

export const duration: Nature = { kind: "int64", type: "time.Duration", methods: methodsOfDuration() };

export const location: Nature = {
  kind: "pointer",
  type: "*time.Location",
  element: { kind: "struct", type: "time.Location", fields: {} },
  methods: { String: signature([], string) },
};

export const time: Nature = { kind: "struct", type: "time.Time", fields: {}, methods: methodsOfTime() };

/** What is changed of a version is a copy, which has fewer methods than the original. */
const versionValue: Nature = {
  kind: "struct",
  type: "semver.Version",
  fields: {},
  methods: methodsOfVersion(false),
};
export const version: Nature = {
  kind: "pointer",
  type: "*semver.Version",
  element: versionValue,
  methods: methodsOfVersion(true),
};

// Types refer to themselves through their methods, so the methods are looked up when they are needed.

function lazily(methods: Record<string, () => Signature>): Record<string, Signature> {
  return Object.defineProperties(
    {},
    Object.fromEntries(Object.entries(methods).map(([name, get]) => [name, { get, enumerable: true }])),
  );
}

function methodsOfDuration(): Record<string, Signature> {
  const plain = (result: () => Nature) => () => signature([], result());
  return lazily({
    Abs: plain(() => duration),
    Hours: plain(() => float),
    Minutes: plain(() => float),
    Seconds: plain(() => float),
    Milliseconds: plain(() => int64),
    Microseconds: plain(() => int64),
    Nanoseconds: plain(() => int64),
    String: plain(() => string),
    Round: () => signature([duration], duration),
    Truncate: () => signature([duration], duration),
  });
}

function methodsOfTime(): Record<string, Signature> {
  const plain = (result: () => Nature) => () => signature([], result());
  const ints = "Day Hour Minute Nanosecond Second Year YearDay ISOWeek".split(" ");
  const longs = "Unix UnixMicro UnixMilli UnixNano".split(" ");
  return lazily({
    ...Object.fromEntries(ints.map((name) => [name, plain(() => int)])),
    ...Object.fromEntries(longs.map((name) => [name, plain(() => int64)])),
    Add: () => signature([duration], time),
    AddDate: () => signature([int, int, int], time),
    After: () => signature([time], bool),
    Before: () => signature([time], bool),
    Compare: () => signature([time], int),
    Equal: () => signature([time], bool),
    Format: () => signature([string], string),
    GoString: plain(() => string),
    In: () => signature([location], time),
    IsDST: plain(() => bool),
    IsZero: plain(() => bool),
    Local: plain(() => time),
    Location: plain(() => location),
    Month: plain(() => month),
    Round: () => signature([duration], time),
    String: plain(() => string),
    Sub: () => signature([time], duration),
    Truncate: () => signature([duration], time),
    UTC: plain(() => time),
    Weekday: plain(() => weekday),
    Zone: plain(() => string),
  });
}

function methodsOfVersion(pointer: boolean): Record<string, Signature> {
  const plain = (result: () => Nature) => () => signature([], result());
  const comparing = "Equal GreaterThan GreaterThanEqual LessThan LessThanEqual".split(" ");
  return lazily({
    Major: plain(() => uint64),
    Minor: plain(() => uint64),
    Patch: plain(() => uint64),
    Prerelease: plain(() => string),
    Metadata: plain(() => string),
    String: plain(() => string),
    IncMajor: plain(() => versionValue),
    IncMinor: plain(() => versionValue),
    IncPatch: plain(() => versionValue),
    SetPrerelease: () => signature([string], versionValue),
    SetMetadata: () => signature([string], versionValue),
    ...(pointer && {
      Original: plain(() => string),
      Compare: () => signature([version], int),
      ...Object.fromEntries(comparing.map((name) => [name, () => signature([version], bool)])),
    }),
  });
}

// Questions

export function isUnknown(nature: Nature): boolean {
  return nature.kind === "unknown" || nature.kind === "interface";
}

const integerTypes = new Set(["int", "int64", "uint8", "uint64"]);

export const isInteger = (nature: Nature): boolean => integerTypes.has(nature.type);
export const isFloat = (nature: Nature): boolean => nature.type === "float64";
export const isNumber = (nature: Nature): boolean => isInteger(nature) || isFloat(nature);
export const isString = (nature: Nature): boolean => nature.kind === "string";
export const isBool = (nature: Nature): boolean => nature.kind === "bool";
export const isArray = (nature: Nature): boolean => nature.kind === "slice";
export const isMap = (nature: Nature): boolean => nature.kind === "map";
export const isTime = (nature: Nature): boolean => nature.type === "time.Time";
export const isDuration = (nature: Nature): boolean => nature.type === "time.Duration";

export function deref(nature: Nature): Nature {
  return nature.kind === "pointer" ? (nature.element ?? unknown) : nature;
}

const nilable = new Set<Kind>(["pointer", "interface", "func", "map", "slice"]);

export function assignable(from: Nature, to: Nature): boolean {
  if (from.kind === "nil") return nilable.has(to.kind);
  if (from.kind === "unknown" || to.kind === "unknown" || to.kind === "nil") return false;
  return to.kind === "interface" || from.type === to.type;
}

export function comparable(a: Nature, b: Nature): boolean {
  return (
    isUnknown(a) ||
    isUnknown(b) ||
    a.kind === "nil" ||
    b.kind === "nil" ||
    [isNumber, isDuration, isTime, isArray].some((is) => is(a) && is(b)) ||
    assignable(a, b)
  );
}

/** Whether the two may turn out to fit: at least one is unknown, and the other passes one of the tests. */
export function maybeCompatible(a: Nature, b: Nature, ...tests: ((nature: Nature) => boolean)[]): boolean {
  if (isUnknown(a) && isUnknown(b)) return true;
  if (isUnknown(a)) return tests.some((is) => is(b));
  return isUnknown(b) && tests.some((is) => is(a));
}
