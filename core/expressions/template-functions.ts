export const templateFunctionNames = ["quote", "unsafeQuote", "asYAML", "asJSON"];
