/**
 * Everything that is answered without a token, and why that is right. Nothing else is: a route that is not on
 * this list gets the check into its handler chain, wherever it is registered.
 */
export const publicRoutes: ReadonlySet<string> = new Set([
  // Says how to log in; takes the password itself.
  "GET /v1beta1/system/public-server-config",
  "POST /v1beta1/login",
  // Asked by load balancers and supervisors; tell nothing but whether the daemon works.
  "GET /healthz",
  "GET /readyz",
  // Prove themselves by a signature or by a path that nobody can guess.
  "POST /webhook/:type/:id",
  // Prove themselves by the signature in their path. Looking decides nothing.
  "GET /gate-link/:token",
  "POST /gate-link/:token",
  // The page without any data, the form that logs in, and what both look like.
  "GET /",
  "POST /ui/login",
  "POST /ui/logout",
  // Tells a caller whether its own cookie is good.
  "GET /ui/session",
  "GET /ui/status.css",
  "GET /ui/status.js",
  "GET /ui/icon.svg",
]);
