import { parse } from "smol-toml";

/** Where the single values of a TOML text stand. */
export interface TomlPlaces {
  /** By the path as `pathKey` writes it. */
  scalars: Map<string, { from: number; to: number }>;
  /** Paths of tables and lists. */
  others: Set<string>;
}

/** One text for a path, such that no two paths have the same. */
export function pathKey(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** Finds the values of a text that is known to be valid TOML. */
export function scanToml(text: string): TomlPlaces {
  const scanner = new TomlScanner(text);
  scanner.document();
  return scanner.places;
}

class TomlScanner {
  readonly places: TomlPlaces = { scalars: new Map(), others: new Set() };
  private readonly text: string;
  private at = 0;
  /** How many tables of each list of tables have begun. */
  private readonly counts = new Map<string, number>();

  constructor(text: string) {
    this.text = text;
  }

  document(): void {
    let tables: string[][] = [[]];
    for (this.skip(); this.at < this.text.length; this.skip()) {
      if (this.text[this.at] === "[") tables = this.header();
      else this.pair(tables);
    }
  }

  /** The paths that the table goes by: with the indexes of the lists it is in, and without the inner ones. */
  private header(): string[][] {
    const isList = this.text.startsWith("[[", this.at);
    this.at += isList ? 2 : 1;
    this.blanks();
    const written = this.key();
    this.blanks();
    this.at += isList ? 2 : 1;
    const full = this.withIndexes(written, isList);
    if (isList) {
      const listKey = pathKey(full);
      const index = this.counts.get(listKey) ?? 0;
      this.counts.set(listKey, index + 1);
      this.places.others.add(listKey);
      full.push(String(index));
    }
    const paths = isList || pathKey(full) === pathKey(written) ? [full] : [full, written];
    for (const path of paths) this.places.others.add(pathKey(path));
    return paths;
  }

  /** A name that leads through a list of tables means the last table of it. */
  private withIndexes(written: readonly string[], isList: boolean): string[] {
    const full: string[] = [];
    for (const [position, part] of written.entries()) {
      full.push(part);
      const count = this.counts.get(pathKey(full));
      if (count !== undefined && !(isList && position === written.length - 1)) full.push(String(count - 1));
    }
    return full;
  }

  private pair(tables: readonly string[][]): void {
    const key = this.key();
    this.blanks();
    this.at += 1;
    this.blanks();
    this.value(tables.map((table) => [...table, ...key]));
  }

  private value(paths: readonly string[][]): void {
    const from = this.at;
    const first = this.text[from];
    if (first === "[" || first === "{") {
      for (const path of paths) this.places.others.add(pathKey(path));
      if (first === "[") this.array(paths);
      else this.inlineTable(paths);
      return;
    }
    if (first === '"' || first === "'") this.string();
    else this.plain();
    for (const path of paths) this.places.scalars.set(pathKey(path), { from, to: this.at });
  }

  private array(paths: readonly string[][]): void {
    this.at += 1;
    let index = 0;
    for (this.separators(); this.text[this.at] !== "]"; this.separators()) {
      this.value(paths.map((path) => [...path, String(index)]));
      index += 1;
    }
    this.at += 1;
  }

  private inlineTable(paths: readonly string[][]): void {
    this.at += 1;
    for (this.separators(); this.text[this.at] !== "}"; this.separators()) this.pair(paths);
    this.at += 1;
  }

  private key(): string[] {
    const parts: string[] = [];
    for (;;) {
      const from = this.at;
      const first = this.text[from];
      if (first === '"' || first === "'") {
        this.string();
        parts.push(String(parse(`key = ${this.text.slice(from, this.at)}`).key));
      } else {
        this.match(/[\w-]+/y);
        parts.push(this.text.slice(from, this.at));
      }
      this.blanks();
      if (this.text[this.at] !== ".") return parts;
      this.at += 1;
      this.blanks();
    }
  }

  private string(): void {
    const quote = this.text[this.at] as string;
    const isLong = this.text.startsWith(quote.repeat(3), this.at);
    if (quote === '"')
      this.match(isLong ? /"""(?:\\[\s\S]|[^\\])*?"""(?:"{0,2}(?!"))/y : /"(?:\\.|[^"\\])*"/y);
    else this.match(isLong ? /'''[\s\S]*?'''(?:'{0,2}(?!'))/y : /'[^']*'/y);
  }

  /** Numbers, booleans and dates; a date may have one blank before its time. */
  private plain(): void {
    this.match(/\d{4}-\d{2}-\d{2} \d{2}:[^\s,\]}#]*|[^\s,\]}#]+/y);
  }

  private skip(): void {
    this.match(/(?:\s|#[^\n]*)*/y);
  }

  private separators(): void {
    this.match(/(?:[\s,]|#[^\n]*)*/y);
  }

  private blanks(): void {
    this.match(/[ \t]*/y);
  }

  private match(pattern: RegExp): void {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new SyntaxError(`Unexpected text at ${this.at}`);
    this.at += found.length;
  }
}
