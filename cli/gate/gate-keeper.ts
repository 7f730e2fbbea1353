/** A request at the gate, as its keeper sees it. */
export interface GateVisit {
  method: string;
  /** As it was sent, still percent-encoded. */
  path: string;
  /** Without the question mark. */
  query: string;
  body: string;
}

export interface GateReply {
  status: 200 | 400 | 500;
  text: string;
}

/**
 * Decides about one visit at a time. The signal says that nobody waits for the reply any more: what was begun
 * is then to be ended, and the promise rejects.
 */
export type GateKeeper = (visit: GateVisit, signal: AbortSignal) => Promise<GateReply>;
