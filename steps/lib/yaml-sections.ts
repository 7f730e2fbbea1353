import { EVENT_ID, type Event, getScalarValue, parseEvents, type ScalarEvent } from "js-yaml";

/** The lines of one top-level key, to be parsed on their own. */
export interface YamlSection {
  from: number;
  text: string;
}

/**
 * Parts the first document of a large text at its top-level keys. Parsing all of it into nodes takes long;
 * events tell as well where a key begins, and that the text is YAML. Undefined, also for a single key, means
 * that the whole has to be parsed: the text is no plain mapping, or something about it is unusual.
 */
export function yamlSections(source: string): ((key: string) => YamlSection | undefined) | undefined {
  const found = keysOf(source);
  if (found === undefined) return undefined;
  const { keys, isLastDocument } = found;
  return (key) => {
    const at = keys.findIndex((event) => getScalarValue(source, event) === key);
    const from = lineOf(source, keys[at]);
    if (from === undefined) return undefined;
    const isLast = at === keys.length - 1;
    const to = isLast ? source.length : lineOf(source, keys[at + 1]);
    if (to === undefined || (isLast && !isLastDocument)) return undefined;
    return { from, text: source.slice(from, to) };
  };
}

function keysOf(source: string): { keys: ScalarEvent[]; isLastDocument: boolean } | undefined {
  let events: Event[];
  try {
    events = parseEvents(source, {});
  } catch {
    // Which error it is, and whether it is one, is for the parser of the whole to say.
    return undefined;
  }
  if (events[0]?.type !== EVENT_ID.DOCUMENT || events[1]?.type !== EVENT_ID.MAPPING) return undefined;
  const keys: ScalarEvent[] = [];
  let depth = 0;
  let isKey = true;
  for (let at = 2; at < events.length; at++) {
    const event = events[at] as Event;
    if (event.type === EVENT_ID.POP) {
      depth -= 1;
      // The mapping's own end; the document's follows.
      if (depth < 0) return { keys, isLastDocument: at + 2 >= events.length };
      if (depth > 0) continue;
    } else if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      if (depth === 0 && isKey) return undefined;
      depth += 1;
      continue;
    } else if (depth === 0 && isKey) {
      if (event.type !== EVENT_ID.SCALAR) return undefined;
      keys.push(event);
    }
    if (depth === 0) isKey = !isKey;
  }
  return undefined;
}

/** Where the line begins that a key begins, with or without quotes. */
function lineOf(source: string, key: ScalarEvent | undefined): number | undefined {
  if (key === undefined) return undefined;
  const from = source.lastIndexOf("\n", key.valueStart - 1) + 1;
  return /^["']?$/.test(source.slice(from, key.valueStart)) ? from : undefined;
}
