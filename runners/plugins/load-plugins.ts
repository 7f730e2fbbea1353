import { createRequire, registerHooks } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "#core/failure.ts";
import type { StepDefinition } from "#core/step.ts";
import { findPlugin } from "#runners/plugins/plugin-source.ts";
import { pluginStep } from "#runners/plugins/plugin-step.ts";

/** A plugin that was found, and the steps that it brought. */
export interface LoadedPlugin {
  name: string;
  version: string;
  steps: string[];
}

/** Why a plugin, or one of its modules or steps, was left out. */
export interface PluginProblem {
  /** As the settings name it. */
  plugin: string;
  message: string;
}

export interface Plugins {
  steps: StepDefinition[];
  loaded: LoadedPlugin[];
  problems: PluginProblem[];
}

export const noPlugins: Plugins = { steps: [], loaded: [], problems: [] };

/** A module that has not been loaded by then holds the start up no longer. */
const longestLoadSeconds = 10;

/**
 * Loads the steps of plugins: what is broken is told of and left out, everything else is there. A name that another
 * step has already stays that one's. Plugins run in this process, with all its rights.
 */
export async function loadPlugins(
  names: readonly string[],
  { folder, taken }: { folder: string; taken: readonly string[] },
): Promise<Plugins> {
  if (names.length === 0) return noPlugins;
  leadImportsHere();
  const steps = new Map<string, StepDefinition>();
  const loaded: LoadedPlugin[] = [];
  const problems: PluginProblem[] = [];
  for (const plugin of names) {
    const complain = (error: unknown, where = "") =>
      problems.push({ plugin, message: `${where}${error instanceof Error ? error.message : String(error)}` });
    const source = await findPlugin(plugin, folder).catch((error) => void complain(error));
    if (source === undefined) continue;
    const own: string[] = [];
    for (const module of source.modules) {
      const inModule = (error: unknown) => void complain(error, `${basename(module)}: `);
      for (const exported of (await exportsOf(module).catch(inModule)) ?? []) {
        try {
          const step = pluginStep(exported);
          refuseTaken(step.name, taken, steps);
          steps.set(step.name, step);
          own.push(step.name);
        } catch (error) {
          inModule(error);
        }
      }
    }
    loaded.push({ name: source.name, version: source.version, steps: own });
  }
  return { steps: [...steps.values()], loaded, problems };
}

/** A module's default export: a step, or a list of them. */
async function exportsOf(module: string): Promise<unknown[]> {
  const exported = (await withinTime(import(/* @vite-ignore */ pathToFileURL(module).href))).default;
  if (exported === undefined)
    throw new UserError("it has no default export, which should be a step or a list of steps");
  return Array.isArray(exported) ? exported : [exported];
}

async function withinTime<T>(loading: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new UserError(`it was not loaded after ${longestLoadSeconds} s`);
  const timer = setTimeout(() => reject(late), longestLoadSeconds * 1000);
  try {
    return await Promise.race([loading, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function refuseTaken(name: string, taken: readonly string[], others: ReadonlyMap<string, unknown>): void {
  if (taken.includes(name))
    throw new UserError(`step "${name}" comes with Towpath: no other can take its name`);
  if (others.has(name)) throw new UserError(`step "${name}" was brought by another module already`);
}

let areLed = false;

/** `towpath/step` is this program's own contract for every plugin, wherever it lies and whatever is installed there. */
function leadImportsHere(): void {
  if (areLed) return;
  areLed = true;
  const url = pathToFileURL(createRequire(import.meta.url).resolve("#core/step-contract.ts")).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "towpath/step" ? { url, shortCircuit: true } : next(specifier, context),
  });
}
