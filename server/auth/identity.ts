import type { Role } from "#server/auth/roles.ts";

/** Who calls, and what for. */
export interface Identity {
  /** As Kargo writes actors: `admin`, `token:shop/ci`. */
  actor: string;
  role: Role;
  /** The only project that the caller may touch; absent for callers who may touch all. */
  project?: string;
  /** A browser sends its cookie by itself, so that such callers have to show that the request is their own. */
  via: "bearer" | "cookie";
}
