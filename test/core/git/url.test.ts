import { describe, expect, it } from "vitest";
import { normalizeGitUrl } from "#core/git/git-url.ts";

describe("the canonical form of a git repository's address", () => {
  it.each([
    ["https://Git.example.com/Shop/App.git/", "https://git.example.com/shop/app"],
    ["http://joe:secret@git.example.com:8080/app", "http://git.example.com:8080/app"],
    ["https://git.example.com/", "https://git.example.com"],
    ["ssh://git@git.example.com:2222/app.git", "ssh://git@git.example.com:2222/app"],
    ["git@git.example.com:shop/app.git", "ssh://git@git.example.com/shop/app"],
    ["git.example.com", "ssh://git.example.com"],
    [" https://git.example.com/app\u200b", "https://git.example.com/app"],
  ])("of %j is %j", (written, canonical) => {
    expect(normalizeGitUrl(written)).toBe(canonical);
  });

  it.each([
    "https://two words",
    "ssh://two words",
    "https://git.example.com/app?x=1",
    "three plain words",
    "file:///srv/Git/app.git",
    "/srv/Git/app.git",
  ])("leaves %j as it is", (written) => {
    expect(normalizeGitUrl(written)).toBe(written);
  });
});
