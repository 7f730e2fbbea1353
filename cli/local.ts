import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { type EvalCase, evaluateCase } from "#cli/eval.ts";
import { type CliIO, print } from "#cli/io.ts";
import { knownSteps } from "#cli/known-steps.ts";
import { openLocalTools } from "#cli/local-services.ts";
import { answerCases } from "#cli/ndjson.ts";
import { ExitCode } from "#cli/report-error.ts";
import { exitCodeFor, runLocally } from "#cli/run.ts";
import { createRunView } from "#cli/run-view.ts";
import { readRunnable } from "#cli/runnable.ts";
import { checkStep, runStep, type StepCase } from "#cli/step.ts";
import { renderReport, validate as validateFiles } from "#cli/validate.ts";
import { parseEnvironment } from "#core/expressions/parse-environment.ts";
import { UserError } from "#core/failure.ts";
import { connectEngine } from "#runners/container/engine.ts";
import { createImages } from "#runners/container/images.ts";
import { describeStepImage } from "#runners/container/step-image.ts";

export interface ValidateFlags {
  plugin?: string[];
  filename: string[];
  strict?: boolean;
  output: string;
}

/** `towpath validate`: exit code 1 when something is wrong. */
export async function validate(flags: ValidateFlags, io: CliIO): Promise<void> {
  const { report, sources } = await validateFiles({
    paths: flags.filename,
    steps: await knownSteps(flags.plugin, io),
    strict: flags.strict,
    stdin: io.stdin,
  });
  print(io, flags.output === "json" ? JSON.stringify(report, undefined, 2) : renderReport(report, sources));
  if (!report.valid) throw new ExitCode(1);
}

export interface EvalFlags {
  env?: string;
  context?: string;
  ndjson?: boolean;
}

/** `towpath eval`: prints the value of a template, or of many from standard input. */
export async function evaluate(template: string | undefined, flags: EvalFlags, io: CliIO): Promise<void> {
  const tools = await openLocalTools({ allowNet: [] });
  const shared = {
    env: flags.env === undefined ? undefined : await readJson(flags.env, parseEnvironment),
    context: flags.context === undefined ? undefined : await readJson(flags.context),
  };
  try {
    if (flags.ndjson) {
      await answerCases(io, async (one, line) => {
        const { env = shared.env } = parseEnvironment(line) as EvalCase;
        return `"value":${await evaluateCase(tools, { ...shared, ...one, env })}`;
      });
      return;
    }
    if (template === undefined) {
      throw new UserError("Cannot evaluate: there is no template", { hint: "towpath eval '${{ 1 + 1 }}'" });
    }
    print(io, await evaluateCase(tools, { ...shared, template }));
  } finally {
    await tools.close();
  }
}

export interface StepFlags {
  plugin?: string[];
  config?: string;
  workdir?: string;
  context?: string;
  check?: boolean;
  allowNet?: string[];
  ndjson?: boolean;
}

/** `towpath step`: runs or checks one step, or many from standard input. Exit code 1 when it went wrong. */
export async function step(name: string | undefined, flags: StepFlags, io: CliIO): Promise<void> {
  const steps = await knownSteps(flags.plugin, io);
  const tools = await openLocalTools({ allowNet: flags.allowNet ?? [], steps });
  try {
    if (flags.ndjson) {
      await answerCases(io, async (one) => {
        const stepCase = toCase({ check: flags.check, workdir: flags.workdir, ...one });
        const answer = stepCase.check
          ? checkStep(stepCase, steps)
          : await runStep(tools, stepCase, { signal: io.signal });
        return JSON.stringify(answer).slice(1, -1);
      });
      return;
    }
    const one = toCase({
      step: name,
      config: flags.config === undefined ? {} : await readJson(flags.config),
      workdir: flags.workdir,
      context: flags.context === undefined ? undefined : await readJson(flags.context),
      check: flags.check,
    });
    if (one.check) {
      const checked = checkStep(one, steps);
      print(io, JSON.stringify(checked));
      if (!checked.valid) throw new ExitCode(1);
      return;
    }
    const result = await runStep(tools, one, {
      signal: io.signal,
      onLog: (text) => io.stderr.write(`${text}\n`),
    });
    print(io, JSON.stringify(result));
    if (result.status === "Failed" || result.status === "Errored") throw new ExitCode(1);
  } finally {
    await tools.close();
  }
}

/** Throws a UserError for what makes no case. */
function toCase(given: Record<string, unknown>): StepCase {
  const { step: name, config = {}, workdir, context, check = false } = given;
  if (typeof name !== "string" || name === "") {
    throw new UserError("Cannot run a step: none is named", {
      hint: "towpath step git-clone --config c.json --workdir .",
    });
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new UserError(`Cannot run step "${name}": its configuration is no JSON object`);
  }
  if (!check && typeof workdir !== "string") {
    throw new UserError(`Cannot run step "${name}": it has no folder to work in`, { hint: "--workdir ." });
  }
  return {
    step: name,
    config: config as Record<string, unknown>,
    workdir: String(workdir ?? "."),
    context,
    check: Boolean(check),
  };
}

async function readJson(
  file: string,
  parse: (text: string) => unknown = JSON.parse,
): Promise<Record<string, unknown>> {
  try {
    return parse((await readFile(file, "utf8")).replace(/^\uFEFF/, "")) as Record<string, unknown>;
  } catch (error) {
    throw new UserError(`Cannot read "${file}" as JSON: ${reasonOf(error as NodeJS.ErrnoException)}`, {
      cause: error,
    });
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  const known: Record<string, string> = { ENOENT: "there is no such file", EISDIR: "it is a folder" };
  return known[code ?? ""] ?? message;
}

export interface RunFlags {
  plugin?: string[];
  var?: string[];
  filename?: string[];
  allowNet?: string[];
  output: string;
}

/** `towpath run`: runs a task or a list of steps to its end, shown as it happens. The exit code tells how it went. */
export async function run(file: string, flags: RunFlags, io: CliIO): Promise<void> {
  const steps = await knownSteps(flags.plugin, io);
  const vars = (flags.var ?? []).map(toVariable);
  const runnable = await readRunnable(file, flags.filename ?? [], vars, steps, io.stdin);
  const tools = await openLocalTools({ allowNet: flags.allowNet ?? [], steps });
  try {
    const view = flags.output === "json" ? undefined : createRunView(io, runnable.promotion);
    const record = await runLocally(tools, runnable, {
      signal: io.signal,
      onChange: view?.change,
      onLog: view?.log,
    });
    if (view === undefined) print(io, JSON.stringify(record, undefined, 2));
    else view.end(record);
    throw new ExitCode(exitCodeFor(record));
  } finally {
    await tools.close();
  }
}

function toVariable(text: string): { name: string; value: string } {
  const equals = text.indexOf("=");
  if (equals > 0) return { name: text.slice(0, equals), value: text.slice(equals + 1) };
  throw new UserError(`Cannot set variable "${text}": it has no value`, { hint: "--var name=value" });
}

/** `towpath steps describe IMAGE`: prints the CustomPromotionStep. */
export async function describeStep(image: string, io: CliIO): Promise<void> {
  const images = createImages(connectEngine());
  const step = await describeStepImage(
    { images, pullCredentials: { find: async () => undefined } },
    { image },
  );
  print(io, stringify(step).trimEnd());
}
