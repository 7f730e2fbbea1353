import { describe, expect, it } from "vitest";
import { parseChallenges } from "#core/oci/challenge.ts";
import { mayUsePlainHttp } from "#core/oci/scheme.ts";

describe("challenges", () => {
  it.each([
    { header: 'Basic realm="x"', gives: [{ scheme: "basic", parameters: { realm: "x" } }] },
    {
      header: 'Bearer realm="https://a/token",service="s",scope="repository:a/b:pull,push"',
      gives: [
        {
          scheme: "bearer",
          parameters: { realm: "https://a/token", service: "s", scope: "repository:a/b:pull,push" },
        },
      ],
    },
    {
      header: 'Negotiate, Basic realm="a \\"b\\"", Bearer realm=c',
      gives: [
        { scheme: "negotiate", parameters: {} },
        { scheme: "basic", parameters: { realm: 'a "b"' } },
        { scheme: "bearer", parameters: { realm: "c" } },
      ],
    },
    { header: "", gives: [] },
    { header: '"', gives: [] },
  ])("are read from $header", ({ header, gives }) => {
    expect(parseChallenges(header)).toEqual(gives);
  });
});

describe("plain HTTP", () => {
  it.each([
    ["localhost:5000", true],
    ["127.0.0.1:5000", true],
    ["[::1]:5000", true],
    ["10.1.2.3", true],
    ["192.168.0.9:80", true],
    ["registry.local:5000", true],
    ["ghcr.io", false],
    ["8.8.8.8:5000", false],
    ["localhost.example.com", false],
    ["127.0.0.1.example.com", false],
  ])("to %s is possible: %s", (registry, possible) => {
    expect(mayUsePlainHttp(registry)).toBe(possible);
  });
});
