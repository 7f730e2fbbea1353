import { nearestName } from "#core/nearest-name.ts";
import { eventTypes } from "#core/notifications/event-types.ts";
import type { EventRouter } from "#core/resources/event-router.ts";
import type { FieldError } from "#core/resources/field-error.ts";

/** An event of a type that there is not would never come. */
export function eventTypeErrors({ spec }: EventRouter): FieldError[] {
  return spec.types.flatMap((type, index) => {
    if (eventTypes.includes(type)) return [];
    const near = nearestName(type, eventTypes);
    const hint = near ? `did you mean "${near}"?` : `there are ${eventTypes.join(", ")}`;
    return [{ path: ["spec", "types", index], message: `there is no event type "${type}"; ${hint}` }];
  });
}
