import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { type Outcome, type StepOutput, succeeded } from "#core/step.ts";

/** What the harness writes into the output file. */
const Result = z.union([
  z.object({ returned: z.unknown() }),
  z.object({ failed: z.string() }),
  z.object({ unusable: z.string() }),
  z.object({ thrown: z.string() }),
  z.object({ unfinished: z.literal(true) }),
]);

export interface ScriptSurroundings {
  /** Path of it, as the script sees it. */
  workspace: string;
  /** Whether hosts can be reached through a proxy for HTTP only. */
  isBehindProxy?: boolean;
}

/**
 * The step's outcome by what the harness wrote. Throws a StepFailure for a script that did not succeed: a
 * permission that it lacks is not asked for again, what it threw may not be thrown another time.
 */
export function outcomeOf(
  written: unknown,
  { workspace, isBehindProxy = false }: ScriptSurroundings,
): Outcome {
  const { data: result } = Result.safeParse(written);
  if (result === undefined || "unfinished" in result) {
    throw new StepFailure(
      "errored",
      "The script ended before it returned: it called Deno.exit or process.exit",
    );
  }
  if ("unusable" in result) throw new StepFailure("refused", `Cannot run the script: ${result.unusable}`);
  if ("failed" in result) throw new StepFailure("failed", result.failed);
  if ("returned" in result) return succeeded(toOutput(result.returned));
  const denied = deniedBy(result.thrown, workspace);
  if (denied !== undefined) throw new StepFailure("refused", denied);
  const advice = isBehindProxy && isOfRawConnection(result.thrown) ? rawConnectionAdvice : "";
  throw new StepFailure("errored", `The script failed: ${result.thrown}${advice}`);
}

/** What Deno and Node say where there is neither a name server nor a way to an address. */
const isOfRawConnection = (thrown: string) =>
  /failed to lookup address information|ENOTFOUND|EAI_AGAIN|Network is unreachable|ENETUNREACH/.test(thrown);

const rawConnectionAdvice =
  ". In a container, permissions.net opens hosts to HTTP and WebSockets alone: for any other connection, as to a database, give the step a `network` that the operator allows";

/** As for containers: an object is the output, nothing an empty one, anything else its field `output`. */
function toOutput(value: unknown): StepOutput {
  if (value === null || value === undefined) return {};
  const isObject = typeof value === "object" && !Array.isArray(value);
  return isObject ? (value as StepOutput) : { output: value };
}

const verbs: Readonly<Record<string, string>> = {
  net: "reach",
  read: "read",
  write: "write",
  env: "read variable",
  run: "start program",
};

/** What Deno refused, in words of the step's configuration; undefined when the error is another. */
function deniedBy(thrown: string, workspace: string): string | undefined {
  const [, permission, what] = /Requires (\w+) access(?: to (.+?))?, run again with/.exec(thrown) ?? [];
  const place = /\(?([^\s()]+:\d+:\d+)\)?\s*$/.exec(thrown)?.[1];
  const at = place === undefined ? "" : ` (${place})`;
  if (permission !== undefined) {
    if (permission === "import")
      return `The script may not load modules of ${what}: \`import\` does not name it${at}`;
    const verb = verbs[permission];
    const asked = (what ?? "anything").replaceAll(`"${workspace}/`, '"');
    if (verb === undefined) return `The script may not use "${permission}" (${asked}): no step may${at}`;
    return `The script may not ${verb} ${asked}: permissions.${permission} does not allow it${at}`;
  }
  const [reason] = /.*(?:--no-npm|--no-remote|--cached-only) is specified/.exec(thrown) ?? [];
  if (reason === undefined) return undefined;
  const module = /"(https?:[^"]+|npm:[^"]+)"|'([^']+)'|package "([^"]+)"/.exec(thrown);
  const name = module?.slice(1).find((part) => part !== undefined);
  return `The script may not load ${name === undefined ? "modules of npm" : `"${name}"`}: \`import\` does not name it${at}`;
}
