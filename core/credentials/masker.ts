import { secretForms, shortestSecret } from "#core/credentials/secret-forms.ts";

const mark = "***";

/** Keeps secrets out of what people read. It learns secrets as they are used, and never forgets one. */
export interface Masker {
  /** Values of fewer than four characters are not masked: they occur in any text. */
  add(secret: string): void;
  /** The text with every known secret replaced, in each form in which it may turn up. */
  mask(text: string): string;
  /** The JSON value with every text in it masked, names of fields included. */
  maskValue<T>(value: T): T;
  /** Masks a text that comes in pieces, secrets that lie across their borders too. */
  stream(): MaskingStream;
}

/** Holds back no more than the end of a piece that may be the beginning of a secret. */
export interface MaskingStream {
  /** Returns what can be shown by now. */
  write(piece: string): string;
  /** Returns what was held back. */
  end(): string;
}

/** Part of a text: from `start` to before `end`. */
interface Span {
  start: number;
  end: number;
}

export function createMasker(): Masker {
  const known = new Set<string>();
  /** The forms of all secrets by their first characters: a text is looked through once, however many there are. */
  const byStart = new Map<string, string[]>();
  /** Their first characters alone: most of a text begins no secret, and need not be cut up to tell so. */
  const firstCharacters = new Set<number>();
  /** Every shorter beginning of a form. */
  const beginnings = new Set<string>();
  let longest = 0;

  function add(secret: string): void {
    if (known.has(secret)) return;
    known.add(secret);
    for (const form of secretForms(secret)) {
      const start = form.slice(0, shortestSecret);
      firstCharacters.add(form.charCodeAt(0));
      const forms = byStart.get(start);
      if (forms === undefined) byStart.set(start, [form]);
      else if (!forms.includes(form)) forms.push(form);
      for (let length = 1; length < shortestSecret; length++) beginnings.add(form.slice(0, length));
      longest = Math.max(longest, form.length);
    }
  }

  /** Where secrets stand, in order, those that overlap as one. */
  function find(text: string): Span[] {
    const spans: Span[] = [];
    for (let start = 0; start + shortestSecret <= text.length; start++) {
      if (!firstCharacters.has(text.charCodeAt(start))) continue;
      for (const form of byStart.get(text.slice(start, start + shortestSecret)) ?? []) {
        if (text.startsWith(form, start)) addSpan(spans, { start, end: start + form.length });
      }
    }
    return spans;
  }

  /** Where the first secret begins that the text may break off in; its length when there is none. */
  function findOpenEnd(text: string): number {
    for (let start = Math.max(0, text.length - longest + 1); start < text.length; start++) {
      const tail = text.slice(start);
      const begins =
        tail.length < shortestSecret
          ? beginnings.has(tail)
          : byStart
              .get(tail.slice(0, shortestSecret))
              ?.some((form) => form.length > tail.length && form.startsWith(tail));
      if (begins) return start;
    }
    return text.length;
  }

  function maskAny(value: unknown): unknown {
    if (typeof value === "string") return mask(value);
    if (Array.isArray(value)) return value.map(maskAny);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [mask(name), maskAny(field)]));
  }

  function mask(text: string): string {
    return known.size === 0 ? text : replaceSpans(text, find(text));
  }

  function stream(): MaskingStream {
    let held = "";
    /** How many characters at the start of `held` belong to a secret whose mark was shown already. */
    let shown = 0;

    function take(end: number): string {
      if (end === 0) return "";
      const spans = find(held);
      if (shown > 0) addSpan(spans, { start: 0, end: shown });
      const text = replaceSpans(held.slice(0, end), clip(spans, end), shown > 0);
      const cut = spans.find((span) => span.start < end && span.end > end);
      shown = cut === undefined ? 0 : cut.end - end;
      held = held.slice(end);
      return text;
    }

    return {
      write(piece) {
        held += piece;
        return take(findOpenEnd(held));
      },
      end: () => take(held.length),
    };
  }

  return { add, mask, maskValue: (value) => maskAny(value) as typeof value, stream };
}

/** Adds a span to others that are in order and apart, joining what overlaps it. */
function addSpan(spans: Span[], span: Span): void {
  const overlapping = spans.filter(({ start, end }) => start < span.end && end > span.start);
  const joined = {
    start: Math.min(span.start, ...overlapping.map(({ start }) => start)),
    end: Math.max(span.end, ...overlapping.map(({ end }) => end)),
  };
  const before = spans.filter(({ end }) => end <= span.start);
  const after = spans.filter(({ start }) => start >= span.end);
  spans.splice(0, spans.length, ...before, joined, ...after);
}

function clip(spans: readonly Span[], end: number): Span[] {
  return spans.filter((span) => span.start < end).map((span) => ({ ...span, end: Math.min(span.end, end) }));
}

/** `open`: the text goes on in a secret whose mark stands already. */
function replaceSpans(text: string, spans: readonly Span[], open = false): string {
  let masked = "";
  let from = 0;
  for (const { start, end } of spans) {
    masked += text.slice(from, start);
    if (!(open && start === 0)) masked += mark;
    from = end;
  }
  return masked + text.slice(from);
}
