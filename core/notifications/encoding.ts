import { parse as parseYaml } from "yaml";
import { DeliveryFailure } from "#core/notifications/channels/channel.ts";
import type { MessageContent } from "#core/notifications/message.ts";

/** How the text of a message is to be read; without one it is the message. */
export type EncodingType = "" | "json" | "yaml" | "xml";

/** What the text of a message holds. Throws a DeliveryFailure where it is not what it says it is. */
export async function decode(text: string, encoding: EncodingType = ""): Promise<MessageContent> {
  if (encoding === "") return text;
  const value = await read(text, encoding).catch((error: Error) => {
    throw new DeliveryFailure(`The message is no ${encoding.toUpperCase()}: ${error.message}`, {
      cause: error,
      permanent: true,
    });
  });
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  if (typeof value === "string") return value;
  throw new DeliveryFailure(`The message is ${encoding.toUpperCase()}, and no object`, { permanent: true });
}

async function read(text: string, encoding: Exclude<EncodingType, "">): Promise<unknown> {
  switch (encoding) {
    case "json":
      return JSON.parse(text);
    case "yaml":
      return parseYaml(text, { maxAliasCount: 100 });
    case "xml":
      return await readXml(text);
    default:
      return encoding satisfies never;
  }
}

/** The fields of the one element that holds all others. */
async function readXml(text: string): Promise<unknown> {
  const { XMLParser, XMLValidator } = await import("fast-xml-parser");
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new Error(valid.err.msg);
  const parsed = new XMLParser({ ignoreDeclaration: true, ignorePiTags: true }).parse(text) as object;
  const [root] = Object.values(parsed);
  return root;
}
