import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMasker } from "#core/credentials/masker.ts";

const secret = 'p@ss w0rd/"quoted"&<ü>';
const pem = `-----BEGIN KEY-----\n${"Ab1/".repeat(16)}\n${"Cd2+".repeat(16)}\n-----END KEY-----\n`;

function knowing(...secrets: string[]) {
  const masker = createMasker();
  for (const one of secrets) masker.add(one);
  return masker;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("masking", () => {
  it.each([
    { form: "as it is", text: secret },
    { form: "as JSON", text: JSON.stringify(secret).slice(1, -1) },
    { form: "as JSON inside of JSON", text: JSON.stringify(JSON.stringify(secret)).slice(3, -3) },
    { form: "as JSON of Go", text: 'p@ss w0rd/\\"quoted\\"\\u0026\\u003cü\\u003e' },
    { form: "as JSON in ASCII", text: 'p@ss w0rd/\\"quoted\\"&<\\u00fc>' },
    { form: "in a path of an address", text: encodeURIComponent(secret) },
    { form: "in a query", text: new URLSearchParams({ secret }).toString().slice("secret=".length) },
    {
      form: "with escapes in lower case",
      text: encodeURIComponent(secret).replace(/%../g, (c) => c.toLowerCase()),
    },
    { form: "in base64", text: base64(secret) },
    { form: "in base64 for addresses", text: Buffer.from(secret).toString("base64url") },
  ])("replaces a secret $form", ({ text }) => {
    expect(knowing(secret).mask(`before ${text} after`)).toBe("before *** after");
  });

  it.each(["", "x", "xy", "xyz", "user:"])("leaves nothing of a secret in base64 after %j", (before) => {
    const masked = knowing("hunter2-hunter2").mask(base64(`${before}hunter2-hunter2 and more`));
    const readable = masked.split("***").map((part) => Buffer.from(part, "base64").toString("latin1"));
    expect(masked).toContain("***");
    for (const part of readable) expect(part).not.toContain("hunter");
  });

  it("replaces each line of a secret of several lines", () => {
    const masker = knowing(pem);
    for (const line of pem.trim().split("\n")) expect(masker.mask(`  ${line}`)).toBe("  ***");
  });

  it("replaces a secret in base64 that is broken into lines", () => {
    const wrapped = base64(pem).replace(/.{76}/g, "$&\n");
    expect(knowing(pem).mask(wrapped).replaceAll("***", "").trim()).toBe("");
  });

  it("replaces a secret without the line end that it was stored with", () => {
    expect(knowing("s3cret-token\n").mask("token=s3cret-token;")).toBe("token=***;");
  });

  it.each([
    { what: "one within another", secrets: ["abcdef", "abcdefghij"], text: "<abcdefghij>", gives: "<***>" },
    { what: "two that overlap", secrets: ["abcdef", "defghi"], text: "<abcdefghi>", gives: "<***>" },
    { what: "the same twice", secrets: ["abcdef"], text: "abcdef abcdef", gives: "*** ***" },
    { what: "none", secrets: ["abcdef"], text: "nothing here", gives: "nothing here" },
    { what: "too short a one", secrets: ["abc", ""], text: "abc", gives: "abc" },
    { what: "one that looks like a pattern", secrets: ["a.*b$1"], text: "a.*b$1 aXXb", gives: "*** aXXb" },
  ])("replaces $what", ({ secrets, text, gives }) => {
    expect(knowing(...secrets).mask(text)).toBe(gives);
  });

  it("masks the texts and names within a value and keeps the rest", () => {
    const value = { list: ["abcdef", 1, null, true], "key-abcdef": { deep: "x abcdef" } };
    expect(knowing("abcdef").maskValue(value)).toEqual({
      list: ["***", 1, null, true],
      "key-***": { deep: "x ***" },
    });
  });
});

describe("masking a stream", () => {
  const secrets = ["abcab", "abcabcabd", "bbbb"];

  it("gives in the end what masking the whole gives, however the text is cut", () => {
    const texts = fc.array(fc.constantFrom("a", "b", "c", "d", "abcab", "abcabcabd", "\n"), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(texts, fc.infiniteStream(fc.integer({ min: 1, max: 7 })), (parts, sizes) => {
        const text = parts.join("");
        const masker = knowing(...secrets);
        const stream = masker.stream();
        let streamed = "";
        for (let at = 0; at < text.length; ) {
          const size = sizes.next().value;
          streamed += stream.write(text.slice(at, at + size));
          at += size;
        }
        expect(streamed + stream.end()).toBe(masker.mask(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("shows at once what cannot be part of a secret", () => {
    const stream = knowing("secret-value").stream();
    expect(stream.write("hello se")).toBe("hello ");
    expect(stream.write("cond")).toBe("second");
    expect(stream.write(" secret-")).toBe(" ");
    expect(stream.write("value!")).toBe("***!");
    expect(stream.end()).toBe("");
  });

  it("holds back a bounded amount of a text that is one secret over and over", () => {
    const stream = knowing("aaaaaaaa").stream();
    let shown = "";
    for (let i = 0; i < 1000; i++) shown += stream.write("aaaaa");
    expect(shown).toBe("***");
    expect(stream.end()).toBe("");
  });
});
