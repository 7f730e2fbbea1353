import { describe, expect, it } from "vitest";
import { createEgressPolicy } from "#core/egress/policy.ts";

const names: Record<string, string[]> = {
  "public.example": ["93.184.216.34"],
  "internal.example": ["10.1.2.3"],
  "rebound.example": ["127.0.0.1"],
  "mixed.example": ["127.0.0.1", "93.184.216.34"],
  "git.corp.example": ["10.9.9.9"],
  localhost: ["127.0.0.1", "::1"],
};

const lookup = async (name: string) => {
  const found = names[name];
  if (!found) throw Object.assign(new Error("nothing"), { code: "ENOTFOUND" });
  return found.map((address) => ({ address, family: address.includes(":") ? (6 as const) : (4 as const) }));
};

const reach = async (host: string, port: number, allow: string[] = []) =>
  (await createEgressPolicy({ allow, lookup }).addresses(host, port)).map(({ address }) => address);

describe("the egress policy", () => {
  it.each([
    { host: "public.example", gives: ["93.184.216.34"] },
    { host: "PUBLIC.example.", gives: ["93.184.216.34"] },
    { host: "1.1.1.1", gives: ["1.1.1.1"] },
    { host: "[2606:4700:4700::1111]", gives: ["2606:4700:4700::1111"] },
    { host: "mixed.example", gives: ["93.184.216.34"] },
    { host: "internal.example", allow: ["internal.example"], gives: ["10.1.2.3"] },
    { host: "internal.example", allow: ["internal.example:443"], gives: ["10.1.2.3"] },
    { host: "internal.example", allow: ["10.0.0.0/8"], gives: ["10.1.2.3"] },
    { host: "internal.example", allow: ["10.1.2.3:443"], gives: ["10.1.2.3"] },
    { host: "git.corp.example", allow: ["*.corp.example"], gives: ["10.9.9.9"] },
    { host: "[::1]", allow: ["[::1]:443"], gives: ["::1"] },
    { host: "[::ffff:7f00:1]", allow: ["127.0.0.1"], gives: ["::ffff:7f00:1"] },
    { host: "127.0.0.1", allow: ["localhost"], gives: ["127.0.0.1"] },
    { host: "localhost", allow: ["127.0.0.0/8"], gives: ["127.0.0.1"] },
  ])("reaches $host with $allow", async ({ host, allow, gives }) => {
    expect(await reach(host, 443, allow)).toEqual(gives);
  });

  it.each([
    { host: "127.0.0.1" },
    { host: "localhost" },
    { host: "rebound.example" },
    { host: "internal.example" },
    { host: "[::1]" },
    { host: "[::ffff:7f00:1]" },
    { host: "internal.example", allow: ["internal.example:80"] },
    { host: "internal.example", allow: ["other.example"] },
    { host: "internal.example", allow: ["11.0.0.0/8"] },
    { host: "notcorp.example", allow: ["*.corp.example"], names: ["10.0.0.1"] },
    { host: "127.0.0.1", allow: ["127.0.0.1:80"] },
  ])("refuses $host with $allow", async ({ host, allow, names: found }) => {
    const policy = createEgressPolicy({
      allow,
      lookup: found ? async () => found.map((address) => ({ address, family: 4 })) : lookup,
    });
    await expect(policy.addresses(host, 443)).rejects.toMatchObject({ kind: "refused" });
  });

  it("names the address and the way to open it", async () => {
    await expect(reach("internal.example", 8080)).rejects.toThrow(
      'Cannot connect to "internal.example": its address 10.1.2.3 is a private address, which steps may not reach. ' +
        "The operator can open it with --allow-net internal.example:8080",
    );
    await expect(reach("[::1]", 80)).rejects.toThrow("--allow-net [::1]:80");
  });

  it("says that a name has no address", async () => {
    await expect(reach("nowhere.example", 80)).rejects.toMatchObject({
      kind: "errored",
      message: 'Cannot connect to "nowhere.example": no address was found for that name',
    });
  });

  it.each(["", "http://x", "a b", "host:99:x", "10.0.0.0/40", "*"])("refuses the entry %j", (entry) => {
    expect(() => createEgressPolicy({ allow: [entry] })).toThrow("Cannot open");
  });
});
