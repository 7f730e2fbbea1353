import { ExpressionError, type Span } from "./error.ts";
import { type Token, type TokenKind, tokenize } from "./tokens.ts";

/** Goes through the tokens of an expression, and says where it met one that does not fit. */
export class TokenCursor {
  private readonly source: string;
  private readonly tokens: Token[];
  private position = 0;

  constructor(source: string) {
    this.source = source;
    this.tokens = tokenize(source);
  }

  protected get current(): Token {
    return this.tokens[this.position] as Token;
  }

  protected peek(): Token {
    return this.tokens[this.position + 1] ?? this.current;
  }

  protected is(kind: TokenKind, value?: string): boolean {
    const token = this.current;
    return token.kind === kind && (value === undefined || token.value === value);
  }

  protected advance(): void {
    if (this.is("EOF")) this.fail("unexpected end of expression");
    this.position++;
  }

  protected expect(kind: TokenKind, value?: string): void {
    if (!this.is(kind, value)) this.unexpected(value ?? kind.toLowerCase());
    this.advance();
  }

  protected unexpected(expected?: string): never {
    const hint = expected === undefined ? "" : `, expected ${expected}`;
    return this.fail(`unexpected token ${show(this.current)}${hint}`);
  }

  protected fail(reason: string, at: Span = this.current): never {
    throw new ExpressionError(reason, this.source, at);
  }
}

export function show(token: Token): string {
  return token.value === "" ? token.kind : `${token.kind}(${JSON.stringify(token.value)})`;
}
