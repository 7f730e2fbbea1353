/** As Kubernetes writes times: without fractions of a second. */
export function toTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
