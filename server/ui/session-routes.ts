import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import type { Api } from "#server/api/api.ts";
import { requireSameOrigin, sessionCookie } from "#server/auth/guard.ts";
import type { Route, ServerContext } from "#server/route.ts";
import { loginPage, safeNext } from "#server/ui/login-page.ts";

const LoginForm = z.object({ token: z.string().default(""), next: z.string().optional() });

/** Signing in and out of the pages. */
export const sessionRoutes = (api: Api): Route[] => [
  {
    method: "POST",
    path: "/ui/login",
    id: "SignIn",
    summary: "Sign in to the pages",
    needs: "view",
    answers: { 303: "Signed in." },
    handle: async (c) => {
      requireSameOrigin(c, api.publicUrl);
      const { token, next } = LoginForm.parse(Object.fromEntries(await c.req.formData()));
      const session = await sessionFor(api, token.trim());
      if (session === undefined) {
        const page = loginPage({ next: safeNext(next), error: "This is not a token of this daemon." });
        return c.html(page, 401);
      }
      setCookie(c, sessionCookie, session, {
        path: "/",
        httpOnly: true,
        sameSite: "Strict",
        secure: isEncrypted(c, api),
        maxAge: api.limits.sessionSeconds,
      });
      return c.redirect(safeNext(next), 303);
    },
  },
  {
    method: "POST",
    path: "/ui/logout",
    id: "SignOut",
    summary: "Sign out of the pages",
    needs: "view",
    answers: { 303: "Signed out." },
    handle: (c) => {
      requireSameOrigin(c, api.publicUrl);
      deleteCookie(c, sessionCookie, { path: "/" });
      return c.redirect("/", 303);
    },
  },
  {
    method: "GET",
    path: "/ui/session",
    id: "GetSession",
    summary: "Tell whether the caller's cookie is good",
    needs: "view",
    answers: { 200: "Whether it is." },
    handle: async (c) => {
      const cookie = getCookie(c, sessionCookie);
      const known = cookie === undefined ? undefined : await api.authenticator.identify(cookie);
      return c.json({ signedIn: known !== undefined });
    },
  },
];

/** What the cookie holds: for the administrator's token a session that ends, an API token itself. */
async function sessionFor(api: Api, token: string): Promise<string | undefined> {
  const session = await api.authenticator.login(token);
  if (session !== undefined) return session;
  return (await api.authenticator.identify(token)) ? token : undefined;
}

function isEncrypted(c: ServerContext, { publicUrl }: Api): boolean {
  return publicUrl.startsWith("https:") || c.req.url.startsWith("https:");
}
