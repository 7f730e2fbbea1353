import { execFile } from "node:child_process";
import { chmod, copyFile, cp, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/**
 * An image with Deno, a shell and what Deno links to, made of the machine's own files, since no registry is at
 * hand. It is large, so that it is made once for each version.
 */
export async function makeDenoImage(): Promise<string> {
  const { stdout: said } = await execute("deno", ["--version"]);
  const tag = `towpath-test/deno:${/deno (\S+)/.exec(said)?.[1]}`;
  const found = await execute("docker", ["image", "inspect", tag]).catch(() => undefined);
  if (found) return tag;
  const folder = await mkdtemp(join(tmpdir(), "towpath-image-"));
  try {
    for (const name of ["bin", "tmp", "etc", "proc", "dev"]) await mkdir(join(folder, name));
    await chmod(join(folder, "tmp"), 0o1777);
    await cp("/usr/bin/busybox", join(folder, "bin", "busybox"));
    await execute("chroot", [folder, "/bin/busybox", "--install", "/bin"]);
    const deno = await denoBinary();
    await copyFile(deno, join(folder, "bin", "deno"));
    for (const library of await librariesOf(deno)) {
      await mkdir(join(folder, dirname(library)), { recursive: true });
      await copyFile(library, join(folder, library));
    }
    await execute("sh", ["-c", 'tar -C "$1" -c . | docker import - "$2"', "sh", folder, tag]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return tag;
}

async function denoBinary(): Promise<string> {
  const { stdout } = await execute("sh", ["-c", "command -v deno"]);
  return realpath(stdout.trim());
}

/** The loader and every library by its path, as `ldd` tells them; the name service's come by name only. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await execute("ldd", [program]);
  return [...stdout.matchAll(/(\/\S+)\s+\(0x/g)].flatMap(([, path]) => path ?? []);
}
