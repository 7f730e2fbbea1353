import { kinds } from "#core/resources/kinds.ts";
import type { EventRecord } from "#core/store/store.ts";
import type { Api } from "#server/api/api.ts";
import type { Route } from "#server/route.ts";

const shownEvents = 1000;

export const eventRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/projects/:project/events",
    id: "ListProjectEvents",
    summary: "List what happened in a project, the latest first",
    needs: "view",
    answers: { 200: "A Kubernetes EventList." },
    handle: async (c) => {
      const project = c.req.param("project") as string;
      const events = await api.store.events({ project, limit: shownEvents });
      const items = events.map(toKubernetes).reverse();
      return c.json({ apiVersion: "v1", kind: "EventList", metadata: {}, items });
    },
  },
];

function toKubernetes(event: EventRecord) {
  const { id = 0, at, project, type, reason, message, regarding, annotations = {} } = event;
  return {
    metadata: {
      name: `${regarding.name}.${id.toString(16)}`,
      namespace: project,
      uid: String(id),
      creationTimestamp: at,
      annotations,
    },
    involvedObject: {
      apiVersion: kinds.get(regarding.kind)?.apiVersion,
      kind: regarding.kind,
      namespace: regarding.project,
      name: regarding.name,
      uid: regarding.uid,
    },
    type,
    reason,
    message,
    source: { component: "towpath" },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}
