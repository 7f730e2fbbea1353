import { z } from "zod";

/** A variable that expressions read as `vars.<name>`. Its value may hold expressions itself. */
export const ExpressionVariable = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z_]\w*$/, { error: "expected a name of letters, digits and _, not starting with a digit" })
    .describe("Name that expressions read it by."),
  value: z.string().default("").describe("Value; a string that may hold expressions."),
});
export type ExpressionVariable = z.infer<typeof ExpressionVariable>;
