type Fail = (reason: string) => never;

/** An integer literal, its underscores removed: decimal, 0x, 0o or 0b; no more than 64 bits. */
export function parseIntegerLiteral(text: string, fail: Fail): bigint {
  const base = /^0[xob]/i.exec(text)?.[0].toLowerCase();
  const name = base === "0x" ? "hex" : base === "0b" ? "binary" : base === "0o" ? "octal" : "integer";
  const digits = { hex: /^0x[\da-f]+$/i, binary: /^0b[01]+$/i, octal: /^0o[0-7]+$/i, integer: /^\d+$/ }[name];
  if (!digits.test(text)) return fail(`invalid ${name} literal: ${JSON.stringify(text)} is no number`);
  const value = BigInt(text);
  return value > 0x7fff_ffff_ffff_ffffn
    ? fail(`invalid ${name} literal: ${JSON.stringify(text)} is out of range`)
    : value;
}

/** A float literal, its underscores removed. */
export function parseFloatLiteral(text: string, fail: Fail): number {
  if (!/^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) {
    return fail(`invalid float literal: ${JSON.stringify(text)} is no number`);
  }
  const value = Number(text);
  return Number.isFinite(value)
    ? value
    : fail(`invalid float literal: ${JSON.stringify(text)} is out of range`);
}
