/** What an inline script is called in messages. */
export const inlineName = "step.ts";

/** What the body of a function finds, in the order of the documents. */
const given = "{ config, ctx, outputs, vars, task, freight, fail }";

/** Import declarations and comments that a text begins with. */
const leadingImports =
  /^(?:\s+|\/\/.*|\/\*[\s\S]*?\*\/|import\b[^"'`;()]*(?:"[^"\n]*"|'[^'\n]*')(?:\s*with\s*\{[^}]*\})?[ \t]*;?)*/;

/**
 * The module that an inline script is. A text that exports is one already; any other is, after its imports, the
 * body of a function, so that it can `return`. Lines keep their numbers.
 */
export function toModule(text: string): string {
  if (/^export\b/m.test(withoutTexts(text))) return text;
  const [imports = ""] = leadingImports.exec(text) ?? [];
  return `${imports}export default async (${given}) => { ${text.slice(imports.length)}\n};\n`;
}

/** What stands in a template or a comment is no declaration, wherever its lines begin. */
function withoutTexts(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|`(?:\\[\s\S]|[^`\\])*`/g, "``");
}
