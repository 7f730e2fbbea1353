import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { loadOrCreateKey } from "#core/credentials/key.ts";

describe("the cipher", () => {
  const cipher = createCipher(Buffer.alloc(32, 1));

  it.each(["", "x", "grüße 🚢", "line\nline", "x".repeat(100_000)])("opens what it sealed: %j", (text) => {
    expect(cipher.open(cipher.seal(text, "here"), "here")).toBe(text);
  });

  it("seals the same text differently each time", () => {
    expect(cipher.seal("text", "here")).not.toBe(cipher.seal("text", "here"));
  });

  it.each([
    { what: "another context", open: (sealed: string) => cipher.open(sealed, "there") },
    { what: "another key", open: (sealed: string) => createCipher(Buffer.alloc(32, 2)).open(sealed, "here") },
    { what: "a changed text", open: (sealed: string) => cipher.open(`${sealed.slice(0, -6)}AAAAAA`, "here") },
    { what: "a cut text", open: (sealed: string) => cipher.open(sealed.slice(0, 20), "here") },
    { what: "a plain text", open: () => cipher.open("plain", "here") },
  ])("opens nothing with $what", ({ open }) => {
    expect(() => open(cipher.seal("a longer text", "here"))).toThrow("Cannot open the sealed value of");
  });

  it("takes no key of another length", () => {
    expect(() => createCipher(Buffer.alloc(16))).toThrow("16 bytes");
  });
});

describe("the key", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "towpath-key-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const key = Buffer.alloc(32, 3);

  it("is created once, for its owner alone", () => {
    const created = loadOrCreateKey({ folder, env: {} });
    expect(created).toHaveLength(32);
    expect(Buffer.from(loadOrCreateKey({ folder, env: {} })).equals(created)).toBe(true);
    expect(statSync(join(folder, "secrets.key")).mode & 0o777).toBe(0o600);
  });

  it("is taken from the environment before all else", () => {
    const env = { TOWPATH_KEY: key.toString("base64"), TOWPATH_KEY_FILE: "/nowhere" };
    expect(Buffer.from(loadOrCreateKey({ folder, env })).equals(key)).toBe(true);
  });

  it.each([
    { as: "base64", content: `${key.toString("base64")}\n` },
    { as: "bytes", content: key },
  ])("is taken from a file that holds it as $as", ({ content }) => {
    const file = join(folder, "mine");
    writeFileSync(file, content, { mode: 0o600 });
    expect(Buffer.from(loadOrCreateKey({ folder, env: { TOWPATH_KEY_FILE: file } })).equals(key)).toBe(true);
  });

  it("is refused from a file that others may read", () => {
    loadOrCreateKey({ folder, env: {} });
    chmodSync(join(folder, "secrets.key"), 0o640);
    expect(() => loadOrCreateKey({ folder, env: {} })).toThrow("others than its owner may read it");
  });

  it.each([
    { what: "too short a key", env: { TOWPATH_KEY: "c2hvcnQ=" }, says: "32 bytes in base64" },
    { what: "no base64", env: { TOWPATH_KEY: "!".repeat(44) }, says: "32 bytes in base64" },
    { what: "a file that is not there", env: { TOWPATH_KEY_FILE: "/nowhere/key" }, says: '"/nowhere/key"' },
  ])("is refused when it is $what", ({ env, says }) => {
    expect(() => loadOrCreateKey({ folder, env })).toThrow(says);
  });
});
