import type { CliIO } from "#cli/io.ts";
import type { StepDefinition } from "#core/step.ts";
import { pluginNamesFrom } from "#runners/plugins/plugin-source.ts";
import { builtinSteps } from "#steps/index.ts";

/**
 * The steps that a command knows: Towpath's own, and those of the plugins that its flags and TOWPATH_PLUGINS name.
 * What is broken of them is told on standard error and left out.
 */
export async function knownSteps(
  plugins: readonly string[] | undefined,
  io: CliIO,
): Promise<StepDefinition[]> {
  const names = pluginNamesFrom(io.env, plugins);
  if (names.length === 0) return [...builtinSteps];
  const { loadPlugins } = await import("#runners/plugins/load-plugins.ts");
  const taken = builtinSteps.map(({ name }) => name);
  const { steps, problems } = await loadPlugins(names, { folder: process.cwd(), taken });
  for (const { plugin, message } of problems) io.stderr.write(`Plugin "${plugin}" is left out: ${message}\n`);
  return [...builtinSteps, ...steps];
}
