import type { ResourceRef } from "#core/resources/resource.ts";
import { keyName } from "#core/scheduler/key-name.ts";

/**
 * Keys that wait for their turn: first come, first served within a project, and the projects in turn, so
 * that one with a thousand keys does not keep the others waiting. A key that waits is not added again.
 */
export interface FairQueue {
  add(ref: ResourceRef): void;
  take(): ResourceRef | undefined;
  readonly size: number;
}

export function createFairQueue(): FairQueue {
  const projects = new Map<string, Map<string, ResourceRef>>();
  let size = 0;

  return {
    get size() {
      return size;
    },
    add(ref) {
      const project = ref.project ?? "";
      const keys = projects.get(project) ?? new Map<string, ResourceRef>();
      projects.set(project, keys);
      const name = keyName(ref);
      if (keys.has(name)) return;
      keys.set(name, ref);
      size += 1;
    },
    take() {
      for (const [project, keys] of projects) {
        projects.delete(project);
        for (const [name, ref] of keys) {
          keys.delete(name);
          size -= 1;
          if (keys.size > 0) projects.set(project, keys);
          return ref;
        }
      }
      return undefined;
    },
  };
}
