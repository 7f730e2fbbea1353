import { ConflictError } from "#core/store/store.ts";

const attempts = 5;

/**
 * Does it again when somebody else changed the resource in between. `work` reads anew each time; what it
 * does outside of the store must bear being done again.
 */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === attempts) throw error;
    }
  }
}
