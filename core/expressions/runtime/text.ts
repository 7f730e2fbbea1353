/**
 * Go's strings are bytes. Here they are JavaScript strings; what counts bytes goes through this file. Bytes
 * that are no UTF-8 live in a string as U+DC80 … U+DCFF and become the same bytes again.
 */

const ascii = /^[\0-\x7f]*$/;

export function isAscii(text: string): boolean {
  return ascii.test(text);
}

export function encodeUtf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else if (code < 0x10000)
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else {
      bytes.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 0x3f),
        0x80 | ((code >> 6) & 0x3f),
        0x80 | (code & 0x3f),
      );
    }
  }
  return bytes;
}

export function decodeUtf8(bytes: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      parts.push(String.fromCharCode(0xdc00 + (bytes[i] as number)));
      i++;
    } else {
      parts.push(String.fromCodePoint(codePoint(bytes, i, length)));
      i += length;
    }
  }
  return parts.join("");
}

/** How many bytes the character at `i` takes; 0 when what stands there is no UTF-8. */
function sequenceLength(bytes: readonly number[], i: number): number {
  const first = bytes[i] as number;
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first < 0xe0
      ? 2
      : first >= 0xe0 && first < 0xf0
        ? 3
        : first >= 0xf0 && first < 0xf5
          ? 4
          : 0;
  for (let k = 1; k < length; k++) {
    if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  const second = bytes[i + 1] ?? 0;
  const overlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90);
  const outside = (first === 0xed && second > 0x9f) || (first === 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

function codePoint(bytes: readonly number[], i: number, length: number): number {
  const first = bytes[i] as number;
  if (length === 1) return first;
  let code = first & (0xff >> (length + 1));
  for (let k = 1; k < length; k++) code = (code << 6) | ((bytes[i + k] as number) & 0x3f);
  return code;
}

/** The length in bytes. */
export function byteLength(text: string): number {
  return isAscii(text) ? text.length : encodeUtf8(text).length;
}

/** The bytes from `start` to `end` as a string. */
export function byteSlice(text: string, start: number, end: number): string {
  return isAscii(text) ? text.slice(start, end) : decodeUtf8(encodeUtf8(text).slice(start, end));
}

/** The characters; a byte that belongs to none is one. */
export function characters(text: string): string[] {
  return [...text];
}

/** How Go orders strings: by their bytes, which is by their code points. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      // Surrogates stand for the highest code points, though their own codes are not the highest.
      const lift = x >= 0xd800 && y >= 0xd800;
      return (lift ? ordinal(x) - ordinal(y) : x - y) < 0 ? -1 : 1;
    }
  }
  return a.length < b.length ? -1 : 1;
}

function ordinal(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
