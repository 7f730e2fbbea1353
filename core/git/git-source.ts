import type { Credentials } from "#core/credentials/credentials.ts";
import type { GitRemote } from "#core/git/git-url.ts";
import type { Exec } from "#core/step.ts";

/** What Git needs of its surroundings. A StepContext is one. */
export interface GitHost {
  exec: Exec;
  cacheFolder(name: string): Promise<string>;
  exclusively<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** A repository to talk to. */
export interface GitSource {
  remote: GitRemote;
  credentials: Credentials | undefined;
  insecureSkipTLSVerify: boolean;
}
