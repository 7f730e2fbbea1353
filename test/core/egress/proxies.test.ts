import { describe, expect, it } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { proxiesFrom } from "#core/egress/proxies.ts";
import { createGit } from "#core/git/git.ts";
import { gitSettingsFrom } from "#core/git/git-settings.ts";
import { parseRemote } from "#core/git/git-url.ts";
import { serve } from "#test/support/http-server.ts";
import { fakeContext, temporaryFolder } from "#test/support/step-context.ts";

describe("the operator's proxies", () => {
  const env = { HTTP_PROXY: "http://plain.example:3128", HTTPS_PROXY: "secure.example:3129" };
  it.each([
    { url: "http://a.example.com/", through: "http://plain.example:3128/" },
    { url: "https://a.example.com/", through: "http://secure.example:3129/" },
    { url: "http://localhost:8080/", through: undefined },
    { url: "http://127.0.0.5/", through: undefined },
    { url: "http://[::1]/", through: undefined },
    { url: "http://10.0.0.1/", through: "http://plain.example:3128/" },
  ])("lead to $url through $through", ({ url, through }) => {
    expect(proxiesFrom(env).proxyFor(new URL(url))?.href).toBe(through);
  });

  it.each([
    { except: "*", not: ["http://a.example.com", "https://b"], but: [] },
    {
      except: "example.com",
      not: ["http://example.com", "http://a.example.com:81", "http://EXAMPLE.com"],
      but: ["http://myexample.com", "http://example.com.evil.net"],
    },
    { except: ".example.com", not: ["http://a.example.com"], but: ["http://example.com"] },
    { except: "*.example.com", not: ["http://a.example.com"], but: ["http://example.com"] },
    {
      except: " a.net , b.net:8080,",
      not: ["http://a.net", "http://b.net:8080"],
      but: ["http://b.net", "http://c.net"],
    },
    { except: "b.net:443", not: ["https://b.net"], but: ["http://b.net"] },
    { except: "10.0.0.0/8", not: ["http://10.1.2.3", "https://10.255.0.1:8443"], but: ["http://11.0.0.1"] },
    { except: "10.1.2.3:80", not: ["http://10.1.2.3"], but: ["https://10.1.2.3"] },
    { except: "[fd00::1]:80", not: ["http://[fd00::1]"], but: ["http://[fd00::2]"] },
    { except: "fd00::/8", not: ["http://[fd12::1]"], but: ["http://[fe00::1]"] },
  ])("leave out what NO_PROXY $except says", ({ except, not, but }) => {
    const proxies = proxiesFrom({ ...env, NO_PROXY: except });
    expect(not.map((url) => proxies.proxyFor(new URL(url)))).toEqual(not.map(() => undefined));
    expect(but.map((url) => proxies.proxyFor(new URL(url)) !== undefined)).toEqual(but.map(() => true));
  });

  it("are read by upper-case names first", () => {
    const proxies = proxiesFrom({
      http_proxy: "low.example",
      HTTP_PROXY: "up.example",
      https_proxy: "low.example",
    });
    expect(proxies.proxyFor(new URL("http://a.net"))?.host).toBe("up.example");
    expect(proxies.proxyFor(new URL("https://a.net"))?.host).toBe("low.example");
  });

  it.each(["socks5://a.example", "http://", "::"])(
    "cannot be %s, and the error keeps it to itself",
    (value) => {
      expect(() => proxiesFrom({ HTTPS_PROXY: value })).toThrow(
        /^Cannot use HTTPS_PROXY: it must be the address/,
      );
    },
  );
});

describe("a request through the operator's proxy", () => {
  const names: Record<string, string> = {
    "public.example.com": "1.1.1.1",
    "metadata.example.com": "169.254.169.254",
  };
  const lookup = async (name: string) => {
    const address = names[name];
    if (address === undefined) throw new Error("ENOTFOUND");
    return [{ address, family: 4 as const }];
  };

  async function proxied() {
    const asked: string[] = [];
    const proxy = await serve((request, response) => {
      asked.push(`${request.headers["proxy-authorization"] ?? "nobody"} ${request.method} ${request.url}`);
      response.end("by proxy");
    });
    const address = proxy.url.replace("http://", "http://me:secret@");
    const env = { HTTP_PROXY: address, NO_PROXY: "direct.example.com" };
    // The proxy itself is on a loopback address, which nobody has opened to steps.
    const fetch = createFetch({ policy: createEgressPolicy({ lookup }), proxies: proxiesFrom(env) });
    return { asked, fetch, env };
  }

  it.each(["public.example.com", "unknown.example.com"])(
    "reaches %s, whether its name is known here or not",
    async (name) => {
      const { asked, fetch } = await proxied();
      expect(await (await fetch(`http://${name}/x`)).text()).toBe("by proxy");
      expect(asked).toEqual([`Basic ${Buffer.from("me:secret").toString("base64")} GET http://${name}/x`]);
    },
  );

  it.each([
    "http://metadata.example.com/",
    "http://10.0.0.1/",
    "http://169.254.169.254/",
    "http://metadata.google.internal/",
    "http://intranet/",
    "http://127.0.0.1:1/",
  ])("opens nothing that the rules close: %s", async (url) => {
    const { asked, fetch } = await proxied();
    await expect(fetch(url)).rejects.toThrow(/Cannot connect/);
    expect(asked).toEqual([]);
  });

  it("of git goes the same way", async () => {
    const { asked, env } = await proxied();
    const settings = gitSettingsFrom(env);
    const git = createGit(fakeContext(), settings);
    const ask = async (host: string) => {
      const remote = parseRemote(`http://${host}.example.com/a.git`, settings);
      const source = { remote, credentials: undefined, insecureSkipTLSVerify: false };
      return await git.run(["ls-remote", remote.url], { task: "ask", cwd: temporaryFolder(), source });
    };
    await Promise.allSettled([ask("unknown"), ask("direct")]);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((line) => !line.includes("http://unknown.example.com/a.git/"))).toEqual([]);
  });
});
