/** How much the store keeps of what would otherwise grow for ever. */
export interface StoreLimits {
  /** Bytes of the whole store; what would make it larger fails as on a full disk. */
  storeBytes: number;
  /** Events, of all projects together; the oldest go first. */
  events: number;
  /** Lines of one step's log. */
  logLines: number;
  /** Bytes of one step's log. */
  logBytes: number;
  /** Bytes of one journalled value; a longer one is refused. */
  journalBytes: number;
}

export const defaultStoreLimits: StoreLimits = {
  storeBytes: 64 * 1024 ** 3,
  events: 20_000,
  logLines: 50_000,
  logBytes: 8 * 1024 * 1024,
  journalBytes: 1024 * 1024,
};
