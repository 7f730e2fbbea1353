import type { Role } from "#server/auth/roles.ts";

/** Who calls, and what for. */
export interface Identity {
  /** As Kargo writes actors: `admin`, `token:shop/ci`. */
  actor: string;
  role: Role;
  /** The only project that the caller may touch; absent for callers who may touch all. */
  project?: string;
  /** Of the API token: another one of its name has another. */
  tokenUid?: string;
  /** What an identity provider says of the caller. */
  claims?: Readonly<Record<string, unknown>>;
  projectRoles?: ProjectRoles;
  /** A browser sends its cookie by itself, so that such callers have to show that the request is their own. */
  via: "bearer" | "cookie";
}

/** By project: the strongest of the given roles that the caller has there, and the names of all. */
export type ProjectRoles = ReadonlyMap<string, { role?: Role; names: readonly string[] }>;
