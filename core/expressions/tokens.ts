import { ExpressionError, type Span } from "./error.ts";
import { unescapeBytes, unescapeString } from "./escapes.ts";

export type TokenKind = "Identifier" | "Number" | "String" | "Bytes" | "Operator" | "Bracket" | "EOF";

export interface Token extends Span {
  readonly kind: TokenKind;
  /** The word as written; of a string, what it means; of bytes, one character for each byte. */
  readonly value: string;
}

const space = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const wordCharacter = /[\p{L}\p{Nd}_$]/u;
/** The first characters of operators, with those that may be their second. */
const secondCharacters: Readonly<Record<string, string>> = {
  "?": ".?",
  "|": "|",
  ":": ":",
  ".": ".",
  ...Object.fromEntries([..."&!=*<>"].map((character) => [character, "&=*"])),
  ...Object.fromEntries([...",;%+-^"].map((character) => [character, ""])),
};

const wordOperators = new Set([
  "not",
  "in",
  "or",
  "and",
  "matches",
  "contains",
  "startsWith",
  "endsWith",
  "let",
  "if",
  "else",
]);

/** Cuts an expression into tokens; the last one is of kind EOF. Throws an ExpressionError. */
export function tokenize(source: string): Token[] {
  return new Lexer(source).run();
}

class Lexer {
  private readonly source: string;
  private readonly tokens: Token[] = [];
  private start = 0;
  private end = 0;

  constructor(source: string) {
    this.source = source;
  }

  run(): Token[] {
    while (this.end < this.source.length) {
      this.start = this.end;
      this.scan(this.next());
    }
    this.tokens.push({ kind: "EOF", value: "", from: Math.max(0, this.end - 1), to: this.end });
    return this.tokens;
  }

  private scan(character: string): void {
    if (space.test(character)) return;
    if (character === "'" || character === '"') this.scanString(character);
    else if (character === "`") this.scanRawString();
    else if (/[bB]/.test(character) && /['"]/.test(this.peek())) this.scanBytes(this.next());
    else if (/[0-9]/.test(character) || (character === "." && /[0-9]/.test(this.peek()))) this.scanNumber();
    else if (character === "/") this.scanSlash();
    else if (character === "#") this.scanPointer();
    else if ("([{)]}".includes(character)) this.emit("Bracket");
    else if (wordCharacter.test(character)) this.scanWord();
    else this.scanOperator(character);
  }

  private scanOperator(character: string): void {
    const second = secondCharacters[character];
    if (second === undefined) this.fail(`unrecognized character: ${describe(character)}`);
    this.accept(second);
    this.emit("Operator");
  }

  private scanWord(): void {
    this.acceptWord();
    this.emit(wordOperators.has(this.word()) ? "Operator" : "Identifier");
  }

  private scanPointer(): void {
    this.accept("#");
    this.emit("Operator");
    this.start = this.end;
    this.acceptWord();
    if (this.end > this.start) this.emit("Identifier");
  }

  private scanNumber(): void {
    this.end = this.start;
    let digits = "0123456789_";
    if (this.accept("0")) {
      if (this.accept("xX")) digits = "0123456789abcdefABCDEF_";
      else if (this.accept("oO")) digits = "01234567_";
      else if (this.accept("bB")) digits = "01_";
    }
    this.acceptRun(digits);
    if (this.peek() === ".") {
      // "1..5" is a range, not the number "1." and a field.
      if (this.source[this.end + 1] === ".") {
        this.emit("Number");
        return;
      }
      this.next();
      this.acceptRun(digits);
    }
    if (this.accept("eE")) {
      this.accept("+-");
      this.acceptRun(digits);
    }
    if (wordCharacter.test(this.peek())) {
      this.next();
      this.fail(`bad number syntax: ${JSON.stringify(this.word())}`);
    }
    this.emit("Number");
  }

  private scanString(quote: string): void {
    this.skipQuoted(quote);
    this.emit(
      "String",
      unescapeString(this.word().slice(1, -1), (reason) => this.fail(reason)),
    );
  }

  private scanBytes(quote: string): void {
    this.skipQuoted(quote);
    this.emit(
      "Bytes",
      unescapeBytes(this.word().slice(2, -1), (reason) => this.fail(reason)),
    );
  }

  private skipQuoted(quote: string): void {
    for (;;) {
      const character = this.next();
      if (character === quote) return;
      if (character === "" || character === "\n") this.fail("literal not terminated");
      if (character === "\\") this.skipEscape(quote);
    }
  }

  private skipEscape(quote: string): void {
    const rest = this.source.slice(this.end, this.end + 10);
    const match =
      /^(?:[abfnrtv\\]|[0-7]{3}|x[\da-fA-F]{2}|u\{[\da-fA-F]{1,6}\}|u[\da-fA-F]{4}|U[\da-fA-F]{8})/.exec(
        rest,
      );
    const length = match ? match[0].length : rest[0] === quote ? 1 : 0;
    if (length === 0) {
      this.end = Math.min(this.end + 1, this.source.length);
      this.fail(rest === "" ? "literal not terminated" : "invalid char escape");
    }
    this.end += length;
  }

  /** Between backticks nothing is escaped but the backtick itself, by doubling it. */
  private scanRawString(): void {
    let value = "";
    for (;;) {
      const character = this.next();
      if (character === "") this.fail("literal not terminated");
      if (character === "`" && !this.accept("`")) break;
      value += character;
    }
    this.emit("String", value);
  }

  private scanSlash(): void {
    if (this.accept("/")) {
      const end = this.source.indexOf("\n", this.end);
      this.end = end < 0 ? this.source.length : end + 1;
    } else if (this.accept("*")) {
      const end = this.source.indexOf("*/", this.end);
      if (end < 0) {
        this.end = this.source.length;
        this.fail("unclosed comment");
      }
      this.end = end + 2;
    } else {
      this.emit("Operator");
    }
  }

  /** The next character, a surrogate pair being one; "" at the end. */
  private next(): string {
    const character = this.peek();
    this.end += character.length;
    return character;
  }

  private peek(): string {
    const code = this.source.codePointAt(this.end);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  private accept(valid: string): boolean {
    const character = this.peek();
    if (character === "" || !valid.includes(character)) return false;
    this.end += character.length;
    return true;
  }

  private acceptRun(valid: string): void {
    while (this.accept(valid)) {
      // accept moves on
    }
  }

  private acceptWord(): void {
    while (wordCharacter.test(this.peek())) this.next();
  }

  private word(): string {
    return this.source.slice(this.start, this.end);
  }

  private emit(kind: TokenKind, value = this.word()): void {
    this.tokens.push({ kind, value, from: this.start, to: this.end });
  }

  private fail(reason: string): never {
    throw new ExpressionError(reason, this.source, {
      from: Math.max(this.start, this.end - 1),
      to: this.end,
    });
  }
}

function describe(character: string): string {
  const code = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
  return `U+${code} '${character}'`;
}
