import { argoAddresses } from "#core/argocd/addresses.ts";
import { UserError } from "#core/failure.ts";
import type { Api } from "#server/api/api.ts";
import { kargoNamespace, sharedNamespace, systemNamespace } from "#server/api/namespaces.ts";
import type { OidcVerifier } from "#server/auth/oidc-verifier.ts";
import type { Route } from "#server/route.ts";

/** What a client has to know of the installation, and how it logs in. */
export const systemRoutes = (api: Api): Route[] => [
  {
    method: "POST",
    path: "/v1beta1/login",
    id: "AdminLogin",
    summary: "Log in as the administrator; the password is the bearer token of the request",
    needs: "view",
    answers: { 200: "A token that lasts for a day." },
    handle: async (c) => {
      const header = c.req.header("Authorization");
      if (!header) throw new UserError("Authorization header is required");
      const password = /^Bearer (.+)$/.exec(header)?.[1];
      if (!password) throw new UserError("Authorization header must be in format 'Bearer <password>'");
      const idToken = await api.authenticator.login(password);
      if (!idToken) throw new UserError("invalid password", { status: 403 });
      return c.json({ idToken });
    },
  },
  {
    method: "GET",
    path: "/v1beta1/system/public-server-config",
    id: "GetPublicConfig",
    summary: "Tell how one can log in",
    needs: "view",
    answers: { 200: "The ways to log in." },
    handle: (c) =>
      c.json({ adminAccountEnabled: true, skipAuth: false, ...(api.oidc && { oidcConfig: told(api.oidc) }) }),
  },
  {
    method: "GET",
    path: "/v1beta1/system/server-config",
    id: "GetConfig",
    summary: "Tell how the server is set up",
    needs: "view",
    answers: { 200: "The settings that clients need." },
    handle: async (c) =>
      c.json({
        argocdShards: await argoAddresses(api.store),
        secretManagementEnabled: true,
        systemResourcesNamespace: systemNamespace,
        sharedResourcesNamespace: sharedNamespace,
        kargoNamespace,
        hasAnalysisRunLogsUrlTemplate: true,
      }),
  },
  {
    method: "GET",
    path: "/v1beta1/system/server-version",
    id: "GetVersionInfo",
    summary: "Tell the server's version",
    needs: "view",
    answers: { 200: "The version." },
    handle: (c) =>
      c.json({
        version: api.version,
        buildDate: "1970-01-01T00:00:00Z",
        gitCommit: "",
        gitTreeDirty: false,
        goVersion: `node ${process.versions.node}`,
        compiler: "none",
        platform: `${process.platform}/${process.arch}`,
      }),
  },
  {
    method: "GET",
    path: "/v1beta1/system/plugins",
    id: "GetPlugins",
    summary: "Tell which plugins were loaded, and what was left out of them",
    needs: "view",
    answers: { 200: "`loaded`: name, version and steps of each; `problems`: plugin and message." },
    handle: (c) => c.json({ loaded: api.plugins?.loaded ?? [], problems: api.plugins?.problems ?? [] }),
  },
  {
    method: "GET",
    path: "/v1beta1/system/controller-heartbeats",
    id: "GetControllerHeartbeats",
    summary: "Tell when the daemon's loops last turned",
    needs: "view",
    answers: { 200: "One heartbeat: the daemon's." },
    handle: (c) => {
      const { loops } = api.readiness();
      const alive = loops.every(({ turning }) => turning);
      const heartbeat = {
        controller: "",
        status: alive ? "Alive" : "Dead",
        timestamp: api.now().toISOString(),
      };
      return c.json({ heartbeats: { "": heartbeat }, defaultController: "" });
    },
  },
];

/** What a client needs to have its user log in at the identity provider. */
function told({ settings: { issuerUrl, clientId, cliClientId, scopes } }: OidcVerifier) {
  return { issuerUrl, clientId, ...(cliClientId && { cliClientId }), scopes };
}
