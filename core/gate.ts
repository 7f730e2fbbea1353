/** What a gate asks for, and how it was answered. */
export interface GateRequest {
  message: string;
  /** When it answers itself with "timedOut"; RFC 3339. */
  expiresAt?: string;
  /** What it takes instead of a yes or no of anybody who may promote. */
  asks?: GateQuestion;
  /** Asks for signed links that decide the gate, and lets notifications carry them. */
  links?: GateLinkRequest;
  /** Decides the gate, unless somebody else has done so by now. */
  verdict?: GateVerdict;
}

/** What a command of the step's own says about its gate. */
export interface GateVerdict {
  decision: "released" | "denied";
  by: string;
  message?: string;
}

/** What a step has to say to a gate of another stage of the project. */
export interface GateAnswerByStep {
  stage: string;
  /** The gate's alias. */
  step: string;
  decision: "release" | "deny";
  message?: string;
  /** Also where the promotion that waits has other freight than this one. */
  anyFreight: boolean;
}

export type AnsweredGate =
  | { state: "answered" }
  | { state: "closed"; why: string }
  | { state: "decided"; how: "released" | "denied" | "timedOut"; by: string };

export interface GateLinkRequest {
  /** RFC 3339. */
  expiresAt: string;
  /** For whom; recorded with what is decided through them. */
  madeFor?: string;
}

/** Addresses each of which decides a gate, once. */
export interface GateLinkPair {
  release: string;
  deny: string;
  /** RFC 3339. */
  expiresAt: string;
}

/** `responders` are ORed; without any, everybody who can see the promotion may respond. */
export type GateQuestion =
  | {
      kind: "approval";
      responders: ResponderRule[];
      /** Of different people. */
      minApprovals: number;
      /** Whose approval does not count: an actor without what stands before its colon. */
      excluded?: string;
    }
  | { kind: "input"; responders: ResponderRule[]; schema: Record<string, unknown> };

/** One of a user, a claim and its value, and a role. At least one approval must come from each `required` rule. */
export interface ResponderRule {
  /** As Kargo writes actors. */
  user?: string;
  claim?: string;
  value?: string;
  role?: string;
  required?: boolean;
}

/** One person's answer to a gate that asks for approvals. */
export interface GateResponse {
  user: string;
  action: "approve" | "reject";
  /** RFC 3339. */
  time: string;
  message?: string;
}

export type GateAnswer =
  | { state: "open"; url?: string; links?: GateLinkPair; responses?: GateResponse[] }
  | {
      state: "released" | "denied";
      by: string;
      at: string;
      message?: string;
      responses?: GateResponse[];
      /** What was filled in, where the gate asks for input. */
      values?: Record<string, unknown>;
      /** Through what it was answered, and from which address. */
      via?: string;
      address?: string;
    }
  | { state: "timedOut"; at: string };
