import { anything, func, type Nature, signature, string } from "./natures.ts";

/** The functions that templates bring along; they run inside of the sandbox. */
export const templateFunctionNames: readonly string[] = ["quote", "unsafeQuote", "asYAML", "asJSON"];

export const templateFunctionType: Nature = func(signature([anything], string));
