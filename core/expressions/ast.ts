import type { Span } from "./error.ts";

/** The tree of an expression, as the language's own parser shapes it. */
export type Node =
  | Nil
  | Bool
  | Integer
  | Float
  | Text
  | Bytes
  | Constants
  | Identifier
  | Unary
  | Binary
  | Chain
  | Member
  | Slice
  | Call
  | Builtin
  | Predicate
  | Pointer
  | Let
  | Sequence
  | Conditional
  | ArrayLiteral
  | MapLiteral;

interface At {
  readonly at: Span;
}

export interface Nil extends At {
  readonly kind: "nil";
}
export interface Bool extends At {
  readonly kind: "bool";
  readonly value: boolean;
}
export interface Integer extends At {
  readonly kind: "integer";
  readonly value: bigint;
}
export interface Float extends At {
  readonly kind: "float";
  readonly value: number;
}
export interface Text extends At {
  readonly kind: "string";
  readonly value: string;
}
/** One character of `value` for each byte. */
export interface Bytes extends At {
  readonly kind: "bytes";
  readonly value: string;
}
/** A set of literals that `in` looks into; only the optimizer makes it. */
export interface Constants extends At {
  readonly kind: "constants";
  readonly of: "int" | "string";
  readonly values: readonly (bigint | string)[];
}
export interface Identifier extends At {
  readonly kind: "identifier";
  readonly name: string;
}
export interface Unary extends At {
  readonly kind: "unary";
  readonly operator: string;
  readonly operand: Node;
}
export interface Binary extends At {
  readonly kind: "binary";
  readonly operator: string;
  readonly left: Node;
  readonly right: Node;
}
/** Bounds how far a `?.` inside jumps when it meets nil. */
export interface Chain extends At {
  readonly kind: "chain";
  readonly body: Node;
}
export interface Member extends At {
  readonly kind: "member";
  readonly object: Node;
  readonly property: Node;
  readonly optional: boolean;
  /** Called at once: `object.property(…)`. */
  readonly method: boolean;
}
export interface Slice extends At {
  readonly kind: "slice";
  readonly object: Node;
  readonly start: Node | undefined;
  readonly end: Node | undefined;
}
export interface Call extends At {
  readonly kind: "call";
  readonly callee: Node;
  readonly args: readonly Node[];
}
export interface Builtin extends At {
  readonly kind: "builtin";
  readonly name: string;
  readonly args: readonly Node[];
  /** Set by the optimizer: what becomes of each element that a filter or find lets through. */
  readonly mapped?: Node;
  /** Set by the optimizer: finding nothing is an error. */
  readonly throws?: boolean;
  /** Set by the optimizer: count no further than this. */
  readonly threshold?: bigint;
}
export interface Predicate extends At {
  readonly kind: "predicate";
  readonly body: Node;
}
/** `#`, and with a name `#index` and `#acc`. */
export interface Pointer extends At {
  readonly kind: "pointer";
  readonly name: string;
}
export interface Let extends At {
  readonly kind: "let";
  readonly name: string;
  readonly value: Node;
  readonly body: Node;
}
export interface Sequence extends At {
  readonly kind: "sequence";
  readonly nodes: readonly Node[];
}
export interface Conditional extends At {
  readonly kind: "conditional";
  readonly condition: Node;
  readonly whenTrue: Node;
  readonly whenFalse: Node;
}
export interface ArrayLiteral extends At {
  readonly kind: "array";
  readonly nodes: readonly Node[];
}
export interface MapLiteral extends At {
  readonly kind: "map";
  readonly pairs: readonly { readonly key: Node; readonly value: Node }[];
}
