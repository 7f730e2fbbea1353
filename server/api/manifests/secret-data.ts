/** A value as a Secret keeps it. */
export function encode(value: string): string {
  return Buffer.from(value, "utf8").toString("base64");
}

export function encodeAll(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encode(value)]));
}
