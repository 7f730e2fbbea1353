import { keptFromPlainHttp } from "#core/credentials/credentials.ts";
import { type FailureKind, StepFailure } from "#core/failure.ts";

interface Rule {
  pattern: RegExp;
  kind: FailureKind;
  /** Said in place of git's own words, which follow in brackets. */
  because?: (credentials: boolean, words: string) => string;
}

/** What git says when it fails, most telling first. */
const rules: readonly Rule[] = [
  {
    pattern:
      /Authentication failed|could not read (Username|Password)|Permission denied \((publickey|password|keyboard)|returned error: 40[13]\b|Invalid username or (password|token)|Access denied/i,
    kind: "refused",
    because: (credentials, words) => {
      if (credentials) return "the server refused the credentials";
      return /'http:\/\//i.test(words)
        ? keptFromPlainHttp
        : "the server asks for credentials, and none are known for this repository";
    },
  },
  {
    pattern: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i,
    kind: "refused",
    because: () => "the host's SSH key is not the one that is known",
  },
  {
    pattern: /server certificate verification failed|SSL certificate problem|certificate verify failed/i,
    kind: "refused",
    because: () => "the server's certificate cannot be verified",
  },
  { pattern: /transport '.*' not allowed/i, kind: "refused" },
  {
    pattern: /dubious ownership/i,
    kind: "refused",
    because: () => "its folder belongs to another user of this machine than the one who runs the daemon",
  },
  {
    pattern: /No space left on device|Disk quota exceeded/i,
    kind: "errored",
    because: () => "the disk is full",
  },
  {
    pattern: /Could not resolve host(name)?|Temporary failure in name resolution|Name or service not known/i,
    kind: "transient",
    because: () => "the host is not known",
  },
  {
    pattern: /returned error: (429|50[0234])\b/i,
    kind: "transient",
    because: () => "the server faltered",
  },
  {
    pattern:
      /Connection (timed out|refused|reset)|Failed to connect|Couldn't connect|Operation (timed out|too slow)|Network is unreachable|No route to host|early EOF|RPC failed|hung up unexpectedly|unexpected disconnect|SSL_ERROR_SYSCALL|Empty reply from server|kex_exchange_identification/i,
    kind: "transient",
    because: () => "the connection failed",
  },
  {
    pattern: /not found|does not exist|does not appear to be a git repository|returned error: 404/i,
    kind: "errored",
    because: () => "there is no such repository, or it may not be seen with these credentials",
  },
];

/** Refs or files that another process holds; waiting may help. */
const contention = /Unable to create '.*\.lock': File exists|cannot lock ref/i;

export function isContention(stderr: string): boolean {
  return contention.test(stderr);
}

/** The failure behind an exit of git that talked to a server. `what` is "Cannot clone …", without a colon. */
export function remoteFailure(what: string, stderr: string, hasCredentials: boolean): StepFailure {
  const rule = rules.find(({ pattern }) => pattern.test(stderr));
  const said = words(stderr);
  if (rule?.because === undefined) return new StepFailure(rule?.kind ?? "errored", `${what}: ${said}`);
  return new StepFailure(rule.kind, `${what}: ${rule.because(hasCredentials, said)} (${said})`);
}

/** The failure behind an exit of git that worked on this machine alone. */
export function localFailure(what: string, stderr: string): StepFailure {
  return new StepFailure("errored", `${what}: ${words(stderr)}`);
}

const maxCharacters = 2_000;

/** git's message on one line, without progress, hints and the prefixes of its lines. */
function words(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(
      (line) =>
        line !== "" && !/^(hint:|remote: (Enumerating|Counting|Compressing|Total)|Cloning into)/.test(line),
    )
    .map((line) => line.replace(/^(fatal|error): /, ""));
  return lines.join("; ").slice(0, maxCharacters) || "git gave no reason";
}
