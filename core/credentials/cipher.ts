import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Bytes of a key. */
export const keyLength = 32;

const algorithm = "aes-256-gcm";
const nonceLength = 12;
const tagLength = 16;
/** Stands before every sealed value, so that a later algorithm can be told from this one. */
const prefix = "sealed:v1:";

/**
 * Seals text so that it can be stored. `context` says where the text belongs; opening a sealed text in
 * another context fails, so sealed values cannot be moved from one place to another.
 */
export interface Cipher {
  seal(text: string, context: string): string;
  /** Throws when the key, the context or the sealed text is not the one it was sealed with. */
  open(sealed: string, context: string): string;
}

/** AES-256-GCM with a nonce of its own for every value. `key` is 32 bytes. */
export function createCipher(key: Uint8Array): Cipher {
  if (key.length !== keyLength) {
    throw new Error(`Cannot use a key of ${key.length} bytes: it must have ${keyLength}`);
  }
  return {
    seal(text, context) {
      const nonce = randomBytes(nonceLength);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context));
      const sealed = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
      return prefix + Buffer.concat(sealed).toString("base64");
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.slice(prefix.length), "base64");
      if (!sealed.startsWith(prefix) || bytes.length < nonceLength + tagLength) {
        throw new Error(`Cannot open the sealed value of ${context}: it is not a sealed value`);
      }
      const nonce = bytes.subarray(0, nonceLength);
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagLength })
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-tagLength));
      try {
        return (
          decipher.update(bytes.subarray(nonceLength, -tagLength), undefined, "utf8") + decipher.final("utf8")
        );
      } catch (error) {
        throw new Error(
          `Cannot open the sealed value of ${context}: it was sealed with another key or changed`,
          {
            cause: error,
          },
        );
      }
    },
  };
}
