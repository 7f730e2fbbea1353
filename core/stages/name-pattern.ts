import picomatch from "picomatch";
import { RE2JS } from "re2js";

/**
 * Whether a name fits a pattern: `glob:…`, `regex:…` or `regexp:…` (found anywhere in the name), or the name
 * itself. Throws when the pattern cannot be read.
 */
export function matchesName(pattern: string, name: string): boolean {
  const [, kind, rest = ""] = /^(glob|regexp?):(.*)$/s.exec(pattern) ?? [];
  switch (kind) {
    case undefined:
      return pattern === name;
    case "glob":
      return picomatch.isMatch(name, rest, { dot: true, nonegate: true, noextglob: true });
    default:
      return RE2JS.compile(rest).matcher(name).find();
  }
}
