import type { z } from "zod";

interface Refinement {
  message: string;
  when(payload: z.core.ParsePayload): boolean;
}

/**
 * For a `refine` that refuses fields which exclude one another, or asks for one of several. In words that Kargo's
 * users know; told beside whatever else is wrong with the object, so that one look shows all there is to mend.
 */
export function oneOf(hint: string): Refinement {
  return { message: `Must validate one and only one schema (oneOf): ${hint}`, when: isObject };
}

/** The same for fields of which at least one is needed. */
export function anyOf(hint: string): Refinement {
  return { message: `Must validate at least one schema (anyOf): ${hint}`, when: isObject };
}

/** For a `refine` that refuses an object without any property. */
export const notEmpty: Refinement = { message: "Must have at least 1 properties", when: isObject };

function isObject({ value }: z.core.ParsePayload): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
