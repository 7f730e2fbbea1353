import { createHash } from "node:crypto";
import { createBoundedMap } from "#core/bounded-map.ts";

/** A token is not used in its last minutes, so that it does not run out in the middle of a transfer. */
const marginMilliseconds = 5 * 60_000;
const maxTokens = 10_000;

export interface Minted<Token> {
  token: Token;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** Keeps tokens in memory until shortly before they run out; those who ask at the same time share one. */
export interface TokenCache<Token> {
  /** `parts` tell what the token is for. A failed `mint` is thrown to all who wait for it, and not kept. */
  get(parts: readonly string[], mint: () => Promise<Minted<Token>>): Promise<Token>;
}

export function createTokenCache<Token>(now: () => Date): TokenCache<Token> {
  const tokens = createBoundedMap<Promise<Minted<Token>>>(maxTokens);

  async function get(key: string, mint: () => Promise<Minted<Token>>): Promise<Token> {
    const pending = tokens.get(key);
    if (pending !== undefined) {
      const known = await pending.catch(() => undefined);
      if (known !== undefined && known.expiresAt - marginMilliseconds > now().getTime()) return known.token;
      // Somebody who waited along may have asked for the next one already.
      const current = tokens.get(key);
      if (current !== undefined && current !== pending) return await get(key, mint);
    }
    const minting = mint();
    tokens.set(key, minting);
    try {
      return (await minting).token;
    } catch (error) {
      if (tokens.get(key) === minting) tokens.delete(key);
      throw error;
    }
  }

  return { get: (parts, mint) => get(digestOf(parts), mint) };
}

/** What a token was made from may be a secret, which is not to be kept twice. */
function digestOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}
