import { execFileSync } from "node:child_process";
import { temporaryFolder } from "#test/support/step-context.ts";

/** A new key for Sig <sig@example.com>, armoured. */
export function newSigningKey(): string {
  const home = temporaryFolder();
  const env = { ...process.env, GNUPGHOME: home };
  const gpg = (...args: string[]) =>
    execFileSync("gpg", ["--batch", "--passphrase", "", ...args], { env, stdio: "pipe" });
  gpg("--quick-generate-key", "Sig <sig@example.com>", "ed25519", "sign", "never");
  const key = gpg("--armor", "--export-secret-keys").toString();
  execFileSync("gpgconf", ["--kill", "all"], { env });
  return key;
}
