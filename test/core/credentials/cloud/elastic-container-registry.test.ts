import { afterEach, describe, expect, it, vi } from "vitest";
import {
  createEcrKeyProvider,
  createEcrMachineProvider,
} from "#core/credentials/cloud/elastic-container-registry.ts";
import { type Answer, fakeCloud, requestFor, type Seen } from "#test/core/credentials/cloud/support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const repoURL = "123456789012.dkr.ecr.us-west-2.amazonaws.com/shop/web";
const key = { awsRegion: "us-west-2", awsAccessKeyID: "AKIA1", awsSecretAccessKey: "s3cret" };
const start = Date.parse("2030-01-02T03:00:00Z");

function authorization(password: string, expiresInHours = 12): Answer {
  const authorizationToken = Buffer.from(`AWS:${password}`).toString("base64");
  return [
    200,
    { authorizationData: [{ authorizationToken, expiresAt: start / 1000 + expiresInHours * 3600 }] },
  ];
}

const refused: Answer = [403, { __type: "AccessDeniedException", message: "s3cret is not authorized" }];

describe("an access key of AWS", () => {
  it("gives a token of the registry, kept until shortly before its end", async () => {
    const { fetch, seen } = await fakeCloud(() => authorization("t0ken"));
    let now = start;
    const provider = createEcrKeyProvider({ fetch, now: () => new Date(now) });
    const get = () => provider.get(requestFor(repoURL, { data: key }));
    const all = await Promise.all([get(), get()]);
    expect(all).toEqual([1, 2].map(() => ({ username: "AWS", password: "t0ken" })));
    now += 11.9 * 3_600_000;
    await get();
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      method: "POST",
      url: "https://api.ecr.us-west-2.amazonaws.com/",
      headers: {
        "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
        authorization: expect.stringContaining("Credential=AKIA1/"),
      },
    });
    now += 0.05 * 3_600_000;
    await get();
    expect(seen).toHaveLength(2);
  });

  it("that is refused says so, without AWS's own words", async () => {
    const { fetch } = await fakeCloud(() => refused);
    const provider = createEcrKeyProvider({ fetch, now: () => new Date(start) });
    await expect(provider.get(requestFor(repoURL, { data: key }))).rejects.toMatchObject({
      kind: "refused",
      message: 'Cannot get a token for ECR in "us-west-2" by the access key: AccessDeniedException',
    });
  });

  it("cannot name a region that is another host", async () => {
    const { fetch, seen } = await fakeCloud(() => authorization("t0ken"));
    const provider = createEcrKeyProvider({ fetch, now: () => new Date(start) });
    const data = { ...key, awsRegion: "evil.example.com/#" };
    await expect(provider.get(requestFor(repoURL, { data }))).rejects.toThrow("Cannot get a token");
    expect(seen).toEqual([]);
  });

  it.each([
    { supports: true, repoURL, data: key },
    { supports: true, repoURL, data: key, type: "helm" as const },
    { supports: false, repoURL, data: key, type: "git" as const },
    { supports: false, repoURL, data: {} },
    { supports: false, repoURL, data: { ...key, awsRegion: undefined } },
    { supports: false, repoURL: "registry.example.com/shop/web", data: key },
    { supports: false, repoURL: `evil.example.com/${repoURL}`, data: key },
    {
      supports: false,
      repoURL: "123456789012.dkr.ecr.evil.example.com/x.amazonaws.com/web",
      data: key,
    },
  ])(
    "is asked ($supports) for $type $repoURL with $data",
    async ({ supports, repoURL, data, ...request }) => {
      const { fetch } = await fakeCloud(() => refused);
      const provider = createEcrKeyProvider({ fetch, now: () => new Date(start) });
      const known = JSON.parse(JSON.stringify(data)) as Record<string, string>;
      expect(provider.supports(requestFor(repoURL, { ...request, data: known }))).toBe(supports);
    },
  );
});

describe("the machine's own identity at AWS", () => {
  /** AWS with a machine in an account, whose projects' roles and own role may enter or not. */
  async function aws(account: string, mayEnter: readonly string[]) {
    const cloud = await fakeCloud(({ url, body, headers }: Seen) => {
      const form = new URLSearchParams(body);
      if (url === "machine:/credentials") {
        const Expiration = new Date(Date.now() + 3_600_000).toISOString();
        return [200, { AccessKeyId: "MACHINE", SecretAccessKey: "x", Token: "y", Expiration }];
      }
      if (form.get("Action") === "GetCallerIdentity") {
        return [200, xml("GetCallerIdentity", `<Account>${account}</Account>`)];
      }
      if (form.get("Action") === "AssumeRole") {
        const owner = /iam::(\d+):/.exec(form.get("RoleArn") ?? "")?.[1] ?? "";
        if (!mayEnter.includes(owner)) {
          const error = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
          return [403, `<ErrorResponse>${error}</ErrorResponse>`];
        }
        const keys = `<AccessKeyId>ROLE${owner}</AccessKeyId><SecretAccessKey>x</SecretAccessKey>`;
        const rest = "<SessionToken>z</SessionToken><Expiration>2031-01-01T00:00:00Z</Expiration>";
        return [200, xml("AssumeRole", `<Credentials>${keys}${rest}</Credentials>`)];
      }
      const who = /Credential=(\w+)/.exec(headers.authorization ?? "")?.[1] ?? "";
      return who === "MACHINE" && !mayEnter.includes("MACHINE") ? refused : authorization(who);
    });
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${cloud.url}/credentials`);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    return cloud;
  }

  const xml = (action: string, result: string) =>
    `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;

  it.each([
    {
      who: "the project's role in the registry's account",
      mayEnter: ["123456789012"],
      is: "ROLE123456789012",
    },
    {
      who: "the project's role in the machine's account",
      mayEnter: ["999999999999"],
      is: "ROLE999999999999",
    },
    { who: "the machine itself", mayEnter: ["MACHINE"], is: "MACHINE" },
    { who: "nobody", mayEnter: [], is: undefined },
  ])("is used as $who", async ({ mayEnter, is }) => {
    const { fetch, seen } = await aws("999999999999", mayEnter);
    const provider = createEcrMachineProvider({ fetch, now: () => new Date(start) });
    const gives = is === undefined ? undefined : { username: "AWS", password: is };
    expect(await provider.get(requestFor(repoURL))).toEqual(gives);
    const asked = seen.length;
    expect(await provider.get(requestFor(repoURL))).toEqual(gives);
    expect(seen).toHaveLength(asked);
    const role = seen.find(({ body }) => body.includes("AssumeRole"));
    expect(new URLSearchParams(role?.body).get("ExternalId")).toBe("kargo-project-shop");
  });

  it("fails when AWS is not well, rather than to pass for nobody", async () => {
    const { fetch } = await fakeCloud(({ url }) =>
      url === "machine:/credentials" ? [500, "no"] : [503, { __type: "ServerException" }],
    );
    vi.stubEnv("AWS_ACCESS_KEY_ID", "MACHINE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "x");
    const provider = createEcrMachineProvider({ fetch, now: () => new Date(start) });
    await expect(provider.get(requestFor(repoURL))).rejects.toMatchObject({ kind: "transient" });
  });
});
