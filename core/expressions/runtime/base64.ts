import { fail } from "./values.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function base64(bytes: readonly number[]): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    text += alphabet.charAt(bits >> 18) + alphabet.charAt((bits >> 12) & 63);
    text += b === undefined ? "=" : alphabet.charAt((bits >> 6) & 63);
    text += c === undefined ? "=" : alphabet.charAt(bits & 63);
  }
  return text;
}

/** Padded, as Go's StdEncoding wants it; line ends inside are skipped. */
export function fromBase64(text: string, at: number): number[] {
  const clean = text.replace(/[\r\n]/g, "");
  const bytes: number[] = [];
  for (let i = 0; i < clean.length; i += 4) {
    const group = clean.slice(i, i + 4);
    const last = i + 4 >= clean.length;
    const digits = (last ? group.replace(/={1,2}$/, "") : group).split("").map((c) => alphabet.indexOf(c));
    if (group.length < 4 || digits.includes(-1)) return illegal(clean, i, digits, at);
    const [a = 0, b = 0, c = 0, d = 0] = digits;
    const bits = (a << 18) | (b << 12) | (c << 6) | d;
    bytes.push(...[bits >> 16, (bits >> 8) & 255, bits & 255].slice(0, digits.length - 1));
  }
  return bytes;
}

function illegal(text: string, start: number, digits: number[], at: number): never {
  const bad = digits.indexOf(-1);
  return fail(
    `illegal base64 data at input byte ${Math.min(start + (bad < 0 ? digits.length : bad), text.length)}`,
    at,
  );
}
