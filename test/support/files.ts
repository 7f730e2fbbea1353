import { chmod, mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import type { StepContext } from "#core/step.ts";
import { fakeContext } from "./step-context.ts";

/** A context whose workspace holds files; a content of `-> target` makes a symbolic link. */
export async function contextWith(
  files: Record<string, string | undefined>,
  overrides: Partial<StepContext> = {},
): Promise<StepContext> {
  const ctx = fakeContext(overrides);
  for (const [name, content = ""] of Object.entries(files)) {
    const at = path.join(ctx.workspace.root, name);
    if (content.startsWith("-> ")) {
      await mkdir(path.dirname(at), { recursive: true });
      await symlink(content.slice(3), at);
    } else if (name.endsWith("/")) {
      await mkdir(at, { recursive: true });
    } else {
      await ctx.workspace.write(name, content);
      await chmod(at, 0o600);
    }
  }
  return ctx;
}
