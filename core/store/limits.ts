import { countFrom, type Environment } from "#core/environment.ts";

/** How much the store keeps of what would otherwise grow for ever. */
export interface StoreLimits {
  /** Bytes of the whole store; what would make it larger fails as on a full disk. */
  storeBytes: number;
  /** Events, of all projects together; the oldest go first. */
  events: number;
  /** Entries of the audit log; the oldest go first. */
  auditEntries: number;
  /** Lines of one step's log. */
  logLines: number;
  /** Bytes of one step's log. */
  logBytes: number;
  /** Bytes of one journalled value; a longer one is refused. */
  journalBytes: number;
}

/** From the TOWPATH_MAX_* variables. Throws a UserError that names the wrong one. */
export function storeLimitsFrom(env: Environment): StoreLimits {
  return {
    storeBytes: countFrom(env, "TOWPATH_MAX_STORE_BYTES", 64 * 1024 ** 3),
    events: countFrom(env, "TOWPATH_MAX_EVENTS", 20_000),
    auditEntries: countFrom(env, "TOWPATH_MAX_AUDIT_ENTRIES", 500_000),
    logLines: countFrom(env, "TOWPATH_MAX_LOG_LINES", 50_000),
    logBytes: countFrom(env, "TOWPATH_MAX_LOG_BYTES", 8 * 1024 * 1024),
    journalBytes: 1024 * 1024,
  };
}
