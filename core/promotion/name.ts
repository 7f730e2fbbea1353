import { monotonicFactory } from "ulid";

const shortHashLength = 7;
const ulidLength = 26;
const longestName = 253;

const nextUlid = monotonicFactory();

/**
 * `<prefix>.<ulid>.<first characters of the freight's name>`, in lower case. Names with one prefix sort
 * in the order in which they were made, which decides the order of a stage's promotions.
 * The prefix is the stage's name, or `<stage>.<target>`; it is cut where the whole would be too long.
 */
export function promotionName(prefix: string, freight: string): string {
  const room = longestName - ulidLength - shortHashLength - 2;
  const cut = prefix.length > room ? prefix.slice(0, room).replace(/[.-]+$/, "") : prefix;
  return [cut, nextUlid(), freight.slice(0, shortHashLength)].join(".").toLowerCase();
}
