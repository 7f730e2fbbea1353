import { existsSync } from "node:fs";
import { readdir, readFile, realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import { isAbsolute, join, relative, resolve } from "node:path";
import { z } from "zod";
import type { Environment } from "#core/environment.ts";
import { UserError } from "#core/failure.ts";
import { contractVersion } from "#core/step-contract.ts";

/** A folder with modules of steps, as its package.json describes it. */
export interface PluginSource {
  /** Of the package, or else as the settings say. */
  name: string;
  version: string;
  /** Absolute paths of its modules, in the order in which they are loaded. */
  modules: string[];
}

/** Folders and packages named by TOWPATH_PLUGINS, a list with commas, and by flags of a command. */
export function pluginNamesFrom(env: Environment, flags: readonly string[] = []): string[] {
  const named = (env.TOWPATH_PLUGINS ?? "").split(",").flatMap((name) => name.trim() || []);
  return [...new Set([...named, ...flags])];
}

const Manifest = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  towpath: z.looseObject({ contract: z.number(), steps: z.array(z.string()).optional() }).optional(),
});

/**
 * Finds a plugin by a path or a package's name, both as seen from `folder`, and reads what it is; none of its code
 * is run. Throws a UserError that says why it cannot be used.
 */
export async function findPlugin(named: string, folder: string): Promise<PluginSource> {
  const root = await realpath(isPath(named) ? pathOf(named, folder) : packageFolder(named, folder));
  const manifest = await readManifest(root);
  const { towpath } = manifest;
  if (towpath === undefined) {
    throw new UserError(
      `its package.json declares no version of the step contract: "towpath": { "contract": ${contractVersion} }`,
    );
  }
  if (towpath.contract !== contractVersion) {
    throw new UserError(
      `it is made for version ${towpath.contract} of the step contract, and this Towpath keeps version ${contractVersion}`,
    );
  }
  const modules = towpath.steps?.map((file) => moduleIn(root, file)) ?? (await modulesIn(root));
  if (modules.length === 0) throw new UserError("there is no module in it that could have a step");
  return { name: manifest.name ?? named, version: manifest.version ?? "", modules };
}

const isPath = (named: string) => named.startsWith(".") || isAbsolute(named);

function pathOf(named: string, folder: string): string {
  const path = resolve(folder, named);
  if (existsSync(path)) return path;
  throw new UserError(`there is no folder "${path}"`);
}

function packageFolder(name: string, folder: string): string {
  const places = createRequire(join(folder, "package.json")).resolve.paths(name) ?? [];
  const found = places
    .map((place) => join(place, name))
    .find((path) => existsSync(join(path, "package.json")));
  if (found !== undefined) return found;
  throw new UserError(
    `no package "${name}" is installed in "${folder}" or above; a folder begins with "./" or "/"`,
  );
}

async function readManifest(root: string): Promise<z.infer<typeof Manifest>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  } catch (cause) {
    throw new UserError(`its package.json cannot be read: ${(cause as Error).message}`, { cause });
  }
  const parsed = Manifest.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`its package.json is wrong at "${issue?.path.join(".")}": ${issue?.message}`);
}

function moduleIn(root: string, file: string): string {
  const path = resolve(root, file);
  if (relative(root, path).startsWith("..")) throw new UserError(`its module "${file}" is outside of it`);
  return path;
}

/** Those at the top of the folder, by name: declarations and tests are none. */
async function modulesIn(root: string): Promise<string[]> {
  const names = await readdir(root);
  const modules = names.filter(
    (name) => /\.(js|mjs|ts|mts)$/.test(name) && !/\.(d|test|spec)\.[a-z]+$/.test(name),
  );
  return modules.sort().map((name) => join(root, name));
}
