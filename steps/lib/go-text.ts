/**
 * Values as Go prints them. Commit messages and updated files have always been written by Kargo, in Go;
 * these functions keep them the same to the letter.
 */

/** As `%v` prints it: `[a b]`, `map[a:1]`, `<nil>`. Whole numbers are printed in full, however large. */
export function plainText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(plainText).join(" ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, one]) => `${key}:${plainText(one)}`).join(" ")}]`;
  }
  return typeof value === "number" ? decimalText(value) : String(value);
}

/** As `%q` prints it; what comes out is a YAML string in double quotes, too. */
export function quotedText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u00ad\u2028\u2029\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A number in decimal digits, without an exponent. */
export function decimalText(value: number): string {
  const text = String(value);
  const [, sign = "", whole = "", fraction = "", exponent] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (exponent === undefined) return text;
  const digits = whole + fraction;
  const shift = Number(exponent);
  if (shift < 0) return `${sign}0.${"0".repeat(-shift - 1)}${digits}`;
  return sign + digits.padEnd(shift + 1, "0");
}
