/** Shorter values occur in any text; masking them would make it unreadable and hide nothing. */
export const shortestSecret = 4;
/** Of a line of a secret of several lines: more of these are ordinary words. */
const shortestLine = 6;
/** Where `base64` and PEM break their lines. */
const lineWidths = [64, 76];

/** The forms in which a secret may turn up in a text: as it is, encoded, escaped, line by line. */
export function secretForms(secret: string): string[] {
  const forms = new Set<string>();
  const lines = secret.split(/\r?\n/);
  const pieces =
    lines.length > 1 ? lines.map((line) => line.trim()).filter(({ length }) => length >= shortestLine) : [];
  for (const text of [secret, secret.trim(), secret.replaceAll("\r\n", "\n"), ...pieces]) {
    if (text.length < shortestSecret) continue;
    for (const form of [text, ...jsonForms(text), ...urlForms(text), ...base64Forms(text)]) {
      if (form.length >= shortestSecret) forms.add(form);
    }
  }
  return [...forms];
}

/** Escaped as inside a JSON string: once, as Go does it, in ASCII alone, and as JSON inside of JSON. */
function jsonForms(text: string): string[] {
  const escaped = escapeJson(text);
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return [
    escaped,
    escaped.replace(/[<>&\u2028\u2029]/g, toEscape),
    escaped.replace(/[\u0080-\uffff]/g, toEscape),
    escapeJson(escaped),
  ];
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** As in a path, in a query and in a form, with the digits of the escapes in either case. */
function urlForms(text: string): string[] {
  const wellFormed = text.toWellFormed();
  const component = encodeURIComponent(wellFormed);
  const strict = component.replace(
    /[!'()*~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const forms = [encodeURI(wellFormed), component, strict];
  forms.push(...forms.map((form) => form.replaceAll("%20", "+")));
  forms.push(...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())));
  return forms;
}

/**
 * In base64, wherever in the encoded bytes the text may start: three bytes make four characters, so there
 * are three ways. Characters that its neighbours have a share in are left out.
 */
function base64Forms(text: string): string[] {
  const whole = Buffer.from(text).toString("base64");
  const forms = [whole, ...lineWidths.flatMap((width) => wrap(whole, width))];
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    const encoded = bytes.toString("base64").replace(/=+$/, "");
    const start = Math.ceil((before * 8) / 6);
    const end = bytes.length % 3 === 0 ? encoded.length : encoded.length - 1;
    forms.push(encoded.slice(start, end));
  }
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")]);
}

function wrap(text: string, width: number): string[] {
  if (text.length <= width) return [];
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += width) lines.push(text.slice(at, at + width));
  return lines.filter(({ length }) => length >= shortestLine * 2);
}
