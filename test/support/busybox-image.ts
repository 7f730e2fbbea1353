import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Makes a small image with a shell out of the machine's own busybox, since no registry is at hand. */
export async function makeBusyboxImage(tag = "towpath-test/busybox:1"): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "towpath-image-"));
  try {
    for (const name of ["bin", "tmp", "etc", "proc", "dev"]) await mkdir(join(folder, name));
    await cp("/usr/bin/busybox", join(folder, "bin", "busybox"));
    await execute("chroot", [folder, "/bin/busybox", "--install", "/bin"]);
    await execute("sh", ["-c", 'tar -C "$1" -c . | docker import - "$2"', "sh", folder, tag]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return tag;
}
