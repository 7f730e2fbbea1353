import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CliIO, print } from "#cli/io.ts";
import { type TemplateName, templateFiles } from "#cli/step-templates.ts";
import { UserError } from "#core/failure.ts";
import { StepDescription } from "#core/resources/step-description.ts";
import { builtinSteps } from "#steps/index.ts";

/** `towpath steps init NAME`: writes a step that works, to be changed. Nothing that exists is touched. */
export async function initStep(
  name: string,
  { template, folder = name }: { template: TemplateName; folder?: string },
  io: CliIO,
): Promise<void> {
  if (!StepDescription.shape.name.safeParse(name).success) {
    throw new UserError(`Cannot name a step "${name}": small letters, digits and dashes only`);
  }
  if (builtinSteps.some((step) => step.name === name)) {
    throw new UserError(`Cannot name a step "${name}": Towpath has a step of that name`);
  }
  try {
    await mkdir(dirname(join(".", folder)), { recursive: true });
    await mkdir(folder);
  } catch (cause) {
    throw new UserError(`Cannot make folder "${folder}": ${(cause as Error).message}`, {
      cause,
      hint: "name another one with --folder",
    });
  }
  for (const { path, text, executable } of templateFiles(name, template)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: "wx" });
    if (executable) await chmod(file, 0o755);
    print(io, `made ${file}`);
  }
  print(io, `try it: ./${folder}/test.sh`);
}
