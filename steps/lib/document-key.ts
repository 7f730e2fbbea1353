import { StepFailure } from "#core/failure.ts";

/**
 * The parts of a key such as `spec.images.0.tag`. A dot or a colon that belongs to a part is written with a
 * backslash before it; a colon at the start of a part says that digits are a name and not an index.
 */
export function splitKey(key: string): string[] {
  const parts: string[] = [];
  let part = "";
  const wrong = (why: string) => new StepFailure("errored", `Cannot read key ${JSON.stringify(key)}: ${why}`);
  const close = () => {
    if (part === "") throw wrong("a part of it is empty");
    parts.push(part);
    part = "";
  };
  const text = key.trim();
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\\") {
      at += 1;
      const escaped = text[at];
      if (escaped !== "." && escaped !== ":")
        throw wrong("a backslash may stand only before a dot or a colon");
      part += escaped;
    } else if (char === ".") {
      close();
    } else if (char === ":") {
      if (part !== "") throw wrong("a colon inside a part needs a backslash before it");
    } else {
      part += char;
    }
  }
  close();
  return parts;
}
