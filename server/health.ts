import type { Route } from "#server/route.ts";
import type { Services } from "#server/services.ts";

/** For load balancers and supervisors. */
export const healthRoutes = ({ readiness, closing, plugins }: Services): Route[] => [
  {
    method: "GET",
    path: "/healthz",
    id: "Health",
    summary: "Tell that the process answers",
    needs: "view",
    answers: { 200: "It does." },
    handle: (c) => c.text("ok"),
  },
  {
    method: "GET",
    path: "/readyz",
    id: "Readiness",
    summary: "Tell whether the daemon does its work",
    needs: "view",
    answers: { 200: "It does.", 503: "It does not; `stuck` says which of its loops has stopped turning." },
    handle: (c) => {
      const stuck = readiness()
        .loops.filter(({ turning }) => !turning)
        .map(({ name }) => name);
      if (closing.aborted) return c.json({ ready: false, stuck, closing: true }, 503);
      const leftOut = plugins?.problems.length ?? 0;
      const extra = leftOut === 0 ? {} : { pluginProblems: leftOut };
      return c.json({ ready: stuck.length === 0, stuck, ...extra }, stuck.length === 0 ? 200 : 503);
    },
  },
];
