import type { WebhookReceiverConfig } from "#core/resources/webhook-receiver.ts";
import type { Store } from "#core/store/store.ts";
import type { Services } from "#server/services.ts";

/** One request, as far as it may be known before it has proved itself. */
export interface WebhookRequest {
  headers: Headers;
  query: URLSearchParams;
  body: Uint8Array;
  /** What the receiver's Secret holds for it. */
  secret: string;
  /** The receiver's project; absent for receivers of the whole installation, which reach all projects. */
  project: string | undefined;
  config: WebhookReceiverConfig;
}

/** `body` goes out as JSON. */
export interface WebhookAnswer {
  status: 200 | 401 | 500;
  body: unknown;
}

/** What a receiver may reach. */
export interface WebhookServices extends Pick<Services, "expressions" | "log" | "now"> {
  store: Store;
}

/** One platform that calls webhooks: everything about it in one value. */
export interface WebhookProvider {
  /** Its field in a receiver's configuration, and the start of its receivers' paths. */
  type: Exclude<keyof WebhookReceiverConfig, "name">;
  /** Key of the value in the receiver's Secret that guards it. */
  secretKey: string;
  /**
   * Proves the request first, by whatever the platform signs with, before anything of it is parsed; then acts.
   * Throws a UserError for a request that is not genuine or cannot be read.
   */
  receive(request: WebhookRequest, services: WebhookServices): Promise<WebhookAnswer>;
}
