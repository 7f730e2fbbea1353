/** Reports what is wrong with a literal; does not return. */
type Fail = (reason: string) => never;

const simple: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** What stands between the quotes of a string literal, its escapes resolved and its line ends made "\n". */
export function unescapeString(body: string, fail: Fail): string {
  return replaceEscapes(body, (sequence) => {
    const code = sequence.startsWith("u{") ? sequence.slice(2, -1) : sequence.slice(1);
    if (/^[xuU]/.test(sequence)) return character(Number.parseInt(code, 16), fail);
    return character(octal(sequence, fail), fail);
  });
}

/** What stands between the quotes of a bytes literal: one character of the result for each byte. */
export function unescapeBytes(body: string, fail: Fail): string {
  // Escapes are bytes already, everything else becomes its UTF-8; so the two are told apart piece by piece.
  let bytes = "";
  for (const piece of normalizeLineEnds(body).split(escapePattern)) {
    if (!piece.startsWith("\\")) {
      bytes += latin1(new TextEncoder().encode(piece));
    } else if (simple[piece.slice(1)] !== undefined) {
      bytes += simple[piece.slice(1)];
    } else if (/^\\[uU]/.test(piece)) {
      fail("unable to unescape string");
    } else {
      bytes += String.fromCharCode(
        piece[1] === "x" ? Number.parseInt(piece.slice(2), 16) : octal(piece.slice(1), fail),
      );
    }
  }
  return bytes;
}

const escapePattern =
  /(\\(?:x[\da-fA-F]{2}|u\{[\da-fA-F]{1,6}\}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}|[^xuU0-7]))/u;

function replaceEscapes(body: string, resolve: (sequence: string) => string): string {
  if (!/[\\\r]/.test(body)) return body;
  return normalizeLineEnds(body)
    .split(escapePattern)
    .map((piece) => (piece.startsWith("\\") ? (simple[piece.slice(1)] ?? resolve(piece.slice(1))) : piece))
    .join("");
}

function normalizeLineEnds(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

function octal(digits: string, fail: Fail): number {
  const value = Number.parseInt(digits, 8);
  return value > 0o377 ? fail("unable to unescape string") : value;
}

function character(code: number, fail: Fail): string {
  if (code > 0x10ffff) fail("unable to unescape string");
  // Half of a surrogate pair is no character of its own.
  return code >= 0xd800 && code <= 0xdfff ? "\ufffd" : String.fromCodePoint(code);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
