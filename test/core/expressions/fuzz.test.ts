import fc from "fast-check";
import { expect, it } from "vitest";
import { builtinNames, predicateBuiltins } from "#core/expressions/builtin-names.ts";
import { ExpressionError } from "#core/expressions/expressions.ts";
import { sandboxForFile } from "./support.ts";

const expressions = sandboxForFile();
const env = {
  text: "häfen 🍀",
  tons: 5,
  half: 0.5,
  yes: true,
  nothing: null,
  crew: [{ age: 3 }, { age: 9 }],
  bag: { b: [1, "x"] },
};

const binary =
  "+ - * / % ** == != < > <= >= and or && || ?? in matches contains startsWith endsWith ..".split(" ");
const plain = builtinNames.filter((name) => !predicateBuiltins.has(name));

const { expression } = fc.letrec<{
  expression: string;
  atom: string;
  operation: string;
  call: string;
  other: string;
}>((tie) => {
  const one = tie("expression");
  return {
    expression: fc.oneof({ maxDepth: 5 }, tie("atom"), tie("operation"), tie("call"), tie("other")),
    atom: fc.oneof(
      fc.constantFrom(
        ...Object.keys(env),
        "nil",
        "true",
        "$env",
        "missing",
        "#",
        ".age",
        "1..3",
        "b'x'",
        "duration('1h')",
        "date('2024-05-05')",
      ),
      fc.integer().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
    ),
    operation: fc
      .tuple(one, fc.constantFrom(...binary, "not in"), one)
      .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    call: fc.oneof(
      fc
        .tuple(fc.constantFrom(...plain), fc.array(one, { maxLength: 3 }))
        .map(([name, args]) => `${name}(${args.join(", ")})`),
      fc
        .tuple(fc.constantFrom(...predicateBuiltins.keys()), one, one)
        .map(([name, a, b]) => `${name}(${a}, ${b})`),
      fc.tuple(one, fc.constantFrom(...plain)).map(([a, name]) => `${a} | ${name}()`),
    ),
    other: fc.oneof(
      fc.tuple(one, one, one).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(one, one).map(([a, b]) => `[${a}, {k: ${b}}]`),
      fc.tuple(one, one).map(([a, b]) => `(let v = ${a}; ${b})`),
      fc.tuple(one, one).map(([a, b]) => `${a}?.k[${b}]`),
      fc.tuple(one, one).map(([a, b]) => `${a}[${b}:]`),
      one.map((a) => `-${a}`),
    ),
  };
});

async function answersOrExplains(source: string): Promise<void> {
  try {
    expect(await expressions().evaluateToJson(source, { env, functions: {} })).toSatisfy((json: string) => {
      JSON.parse(json);
      return true;
    });
  } catch (error) {
    expect(error).toBeInstanceOf(ExpressionError);
    expect((error as ExpressionError).reason).not.toMatch(
      /broke off|is not defined|undefined|not a function/,
    );
  }
}

it("gives a value or a clear error for whatever the grammar makes", async () => {
  await fc.assert(fc.asyncProperty(expression, answersOrExplains), { numRuns: 1500 });
});

it("gives a value or a clear error for any text", async () => {
  const words = fc.constantFrom(
    "let",
    "if",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "?.",
    "??",
    "?",
    ":",
    ";",
    "#",
    "|",
    "'",
    "`",
    "\\",
    "..",
    ".",
    "1",
    "a",
    "not",
    "in",
    "=",
    "::",
    "/*",
    "//",
  );
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(words, { maxLength: 12 }).map((all) => all.join(" ")),
  );
  await fc.assert(fc.asyncProperty(texts, answersOrExplains), { numRuns: 1500 });
});

it("evaluates any template of any text, or says why not", async () => {
  const parts = fc.oneof(
    fc.string({ unit: "grapheme" }),
    expression.map((one) => `\${{ ${one} }}`),
    fc.constantFrom("${{", "}}", "${%", "%}"),
  );
  const templates = fc.array(parts, { maxLength: 4 }).map((all) => all.join(""));
  await fc.assert(
    fc.asyncProperty(templates, async (template) => {
      await expressions()
        .evaluateTemplate(template, { env, functions: {} })
        .catch((error) => expect(error).toBeInstanceOf(ExpressionError));
    }),
    { numRuns: 500 },
  );
});
