import type { Stage } from "#core/resources/stage.ts";
import type { Api } from "#server/api/api.ts";
import type { Route } from "#server/route.ts";

/** By repository and tag, the stages that hold or held the image: 0 for now, 1 for the time before, and so on. */
type ImageMap = Record<string, { tags: Record<string, { stages: Record<string, number> }> }>;

export const imageRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/projects/:project/images",
    id: "ListImages",
    summary: "Tell which stages hold or held which images",
    needs: "view",
    answers: { 200: "By repository and tag, the stages and how long ago." },
    handle: async (c) => {
      const project = c.req.param("project") as string;
      return c.json(mapImages((await api.store.list({ kind: "Stage", project })) as Stage[]));
    },
  },
];

function mapImages(stages: readonly Stage[]): ImageMap {
  const images: ImageMap = {};
  for (const { metadata, status } of stages) {
    for (const [age, { items = {} }] of (status?.freightHistory ?? []).entries()) {
      for (const image of Object.values(items).flatMap((freight) => freight.images ?? [])) {
        images[image.repoURL] ??= { tags: {} };
        const { tags } = images[image.repoURL] as ImageMap[string];
        tags[image.tag ?? ""] ??= { stages: {} };
        const held = tags[image.tag ?? ""]?.stages as Record<string, number>;
        held[metadata.name] ??= age;
      }
    }
  }
  return images;
}
