/** What somebody answered a gate through, and from where: part of the answer's record. */
export interface AnswerSource {
  /** A link is a signed one-time link; a step is one of another promotion; a command is the gate's own. */
  via: "page" | "cli" | "api" | "link" | "step" | "command";
  /** Address of the client, as the daemon or the proxy before it sees it. */
  address?: string;
  /** What the client called itself. */
  userAgent?: string;
  /** Of a link: what tells it from others, and whom it was made for. */
  link?: string;
  madeFor?: string;
  /** Of a step: its promotion, and its alias there. */
  step?: string;
}
