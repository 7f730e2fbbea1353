import { countFrom, type Environment, millisecondsFrom } from "#core/environment.ts";

/** Bounds of the server's work. */
export interface Limits {
  /** Of one request's body, in bytes: manifests, webhooks, and everything else. */
  manifestBytes: number;
  webhookBytes: number;
  bodyBytes: number;
  /** Streams open at once, and changes that one of them may lag behind before it is ended. */
  streams: number;
  streamBacklog: number;
  /** How long a login lasts. */
  sessionSeconds: number;
}

/** From the TOWPATH_MAX_* variables and TOWPATH_SESSION. Throws a UserError that names the wrong one. */
export function limitsFrom(env: Environment): Limits {
  return {
    manifestBytes: countFrom(env, "TOWPATH_MAX_MANIFEST_BYTES", 4 * 1024 * 1024),
    webhookBytes: countFrom(env, "TOWPATH_MAX_WEBHOOK_BYTES", 2 * 1024 * 1024),
    bodyBytes: countFrom(env, "TOWPATH_MAX_BODY_BYTES", 1024 * 1024),
    streams: countFrom(env, "TOWPATH_MAX_STREAMS", 256),
    streamBacklog: countFrom(env, "TOWPATH_MAX_STREAM_BACKLOG", 1000),
    sessionSeconds: millisecondsFrom(env, "TOWPATH_SESSION", 24 * 60 * 60_000) / 1000,
  };
}
