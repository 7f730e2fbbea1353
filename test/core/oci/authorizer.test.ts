import { describe, expect, it } from "vitest";
import type { Access } from "#core/oci/authorizer.ts";
import { createAuthorizer } from "#core/oci/authorizer.ts";

const access: Access = {
  origin: "https://registry.example.com",
  repository: "shop/web",
  credentials: { username: "joe", password: "s3cret" },
  insecureSkipTLSVerify: false,
  signal: undefined,
};

const challenge = (header: string) =>
  new Response(null, { status: 401, headers: { "www-authenticate": header } });

/** An authorizer with a token server that answers this, and a clock that is moved by hand. */
function authorizer(answer: () => Response) {
  const asked: { url: string; authorization: string | null; body?: string }[] = [];
  const clock = { now: 0 };
  const fetch = async (url: string | URL, init: RequestInit = {}) => {
    const body = init.body == null ? {} : { body: String(init.body) };
    asked.push({ url: String(url), authorization: new Headers(init.headers).get("authorization"), ...body });
    return answer();
  };
  return { asked, clock, authorizer: createAuthorizer(fetch, () => clock.now) };
}

const bearer = challenge('Bearer realm="https://auth.example.com/token",service="registry.example.com"');

describe("answering a registry's challenge", () => {
  it("exchanges an identity token by OAuth 2", async () => {
    const { asked, authorizer: one } = authorizer(() =>
      Response.json({ access_token: "t", expires_in: 100 }),
    );
    const credentials = { username: "<token>", password: "1dentity" };
    expect(await one.answer({ ...access, credentials }, bearer)).toBe("Bearer t");
    expect(asked).toMatchObject([{ url: "https://auth.example.com/token", authorization: null }]);
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      grant_type: "refresh_token",
      client_id: "towpath",
      service: "registry.example.com",
      scope: "repository:shop/web:pull",
      refresh_token: "1dentity",
    });
  });

  it("asks for the right to write, and to read where blobs are taken from, apart from that to read", async () => {
    const { asked, authorizer: one } = authorizer(() => Response.json({ token: "t" }));
    await one.answer({ ...access, push: true, mountFrom: "shop/base" }, bearer);
    expect(new URL(asked[0]?.url ?? "").searchParams.getAll("scope")).toEqual([
      "repository:shop/web:pull,push",
      "repository:shop/base:pull",
    ]);
    expect(one.known(access)).toBeUndefined();
  });

  it("asks for a token to read the repository, and renews it ahead of its end", async () => {
    const {
      asked,
      clock,
      authorizer: one,
    } = authorizer(() => Response.json({ access_token: "t", expires_in: 100 }));
    expect(await one.answer(access, bearer)).toBe("Bearer t");
    const url =
      "https://auth.example.com/token?service=registry.example.com&scope=repository%3Ashop%2Fweb%3Apull";
    expect(asked).toEqual([{ url, authorization: "Basic am9lOnMzY3JldA==" }]);
    expect(one.known(access)).toBe("Bearer t");
    clock.now = 84_000;
    expect(one.known(access)).toBe("Bearer t");
    clock.now = 86_000;
    expect(one.known(access)).toBeUndefined();
  });

  it("asks without credentials where there are none", async () => {
    const { asked, authorizer: one } = authorizer(() => Response.json({ token: "t" }));
    await one.answer({ ...access, credentials: undefined }, bearer);
    expect(asked[0]?.authorization).toBeNull();
  });

  it.each([
    'Bearer realm="http://auth.example.com/token"',
    'Bearer realm="file:///etc/passwd"',
    'Bearer realm="//"',
    'Bearer realm="http://registry.example.com/token"',
  ])("sends nothing where somebody could listen, or to what is no server: %s", async (header) => {
    const { asked, authorizer: one } = authorizer(() => Response.json({ token: "t" }));
    await expect(one.answer(access, challenge(header))).rejects.toMatchObject({ kind: "refused" });
    expect(asked).toEqual([]);
  });

  it.each([
    { answer: () => new Response("", { status: 401 }), kind: "refused" },
    { answer: () => new Response("", { status: 503 }), kind: "transient" },
    { answer: () => new Response("", { status: 404 }), kind: "errored" },
    { answer: () => new Response("not json"), kind: "errored" },
    { answer: () => Response.json({ token: 1 }), kind: "errored" },
  ])("fails as $kind", async ({ answer, kind }) => {
    const { authorizer: one } = authorizer(answer);
    await expect(one.answer(access, bearer)).rejects.toMatchObject({ kind });
  });

  it.each(["", "Negotiate", 'Digest realm="x"'])("has no answer to %j", async (header) => {
    const { authorizer: one } = authorizer(() => Response.json({}));
    expect(await one.answer(access, challenge(header))).toBeUndefined();
  });
});
