import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Programs that some tests need and that a bare machine lacks, each with the command that proves it is there. */
const probes = {
  docker: ["docker", "version", "--format", "{{.Server.Version}}"],
  registry: ["docker-registry", "--version"],
  sshd: ["/usr/sbin/sshd", "-?"],
  gpg: ["gpg", "--version"],
  deno: ["deno", "--version"],
  chromium: ["chromium", "--version"],
  prometheus: ["prometheus", "--version"],
  helm: ["helm", "version"],
  kustomize: ["kustomize", "version"],
  kargo: ["kargo", "version", "--client"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

/**
 * Parts that not every network has: Kargo's modules are not to be had from every module proxy. Their tests
 * run where the part is, and are skipped elsewhere even when nothing else may be.
 */
export const optionalParts: readonly string[] = ["kargo"];

export type Part = keyof typeof probes;

export const allParts = Object.keys(probes) as Part[];

/** True when the part runs on this machine. A usage error counts: the program answered. */
export async function hasPart(part: Part): Promise<boolean> {
  const [program, ...args] = probes[part];
  try {
    await run(program, args, { timeout: 20_000 });
    return true;
  } catch (error) {
    // sshd knows no harmless option: what it cannot do without is being there at all.
    return part === "sshd" && (error as { code?: unknown }).code !== "ENOENT";
  }
}
