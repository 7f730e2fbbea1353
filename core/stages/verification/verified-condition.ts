import type { FreightCollection, VerificationInfo } from "#core/resources/freight.ts";
import { abortedMessage } from "#core/stages/verification/phases.ts";

interface Verified {
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/**
 * What a stage's condition "Verified" says of the freight that it holds; undefined before its first
 * verification. A success holds until a later verification fails: neither one that somebody aborted nor one
 * that could not be carried out says anything against the freight.
 */
export function verifiedCondition({ verificationHistory = [] }: FreightCollection): Verified | undefined {
  const decisive = verificationHistory.find(
    ({ phase, message }) => phase === "Successful" || (phase === "Failed" && message !== abortedMessage),
  );
  if (decisive?.phase === "Successful") {
    return { status: "True", reason: "Verified", message: "Freight has been verified" };
  }
  const [latest] = verificationHistory;
  return latest === undefined ? undefined : describe(latest);
}

function describe({ phase, message = "" }: VerificationInfo): Verified {
  switch (phase) {
    case undefined:
    case "Pending":
      return { status: "Unknown", reason: "VerificationPending", message: "Freight is pending verification" };
    case "Running":
      return {
        status: "Unknown",
        reason: "VerificationRunning",
        message: "Freight is currently being verified",
      };
    case "Inconclusive":
      return { status: "Unknown", reason: "VerificationInconclusive", message };
    case "Failed":
    case "Error":
    case "Aborted":
      return { status: "False", reason: `Verification${phase}`, message };
    case "Successful":
      return { status: "True", reason: "Verified", message: "Freight has been verified" };
    default:
      return phase satisfies never;
  }
}
