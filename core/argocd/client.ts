import { z } from "zod";
import { Application, type ApplicationSource, titleFor, titleOf } from "#core/argocd/application.ts";
import type { ArgoConnection } from "#core/argocd/connection.ts";
import { toLabelQuery } from "#core/argocd/label-query.ts";
import { StepFailure } from "#core/failure.ts";
import type { LabelSelector } from "#core/resources/label-selector.ts";
import type { Fetch, FetchOptions } from "#core/step.ts";

/** What an Application's sources become; the one that it has is given, the other left out. */
export type NewSources = { source: ApplicationSource } | { sources: ApplicationSource[] };

/** Why no operation could be begun, where waiting will help. */
export interface Hindrance {
  hindrance: string;
}

/** Argo CD's API, as far as it is needed. Everything throws StepFailures. */
export interface ArgoClient {
  /** Of the connection, for what names no namespace. */
  namespace: string;
  /** Undefined when Argo CD says that there is none; without the right to see it, that is a failure. */
  get(name: string, namespace: string): Promise<Application | undefined>;
  /** Those that the token may see, by name. */
  list(selector: LabelSelector, namespace: string): Promise<Application[]>;
  /**
   * Has Argo CD look at the Application anew, its caches left aside, and waits a few seconds for it. Returns
   * what is to be said when it did not come about; that is no failure.
   */
  refresh(app: Application): Promise<string | undefined>;
  /** Gives the Application other sources, and has Argo CD look at it anew. */
  setSources(app: Application, sources: NewSources): Promise<void>;
  /** Begins an operation. Argo CD knows the token's account as who did it, `info` goes along with it. */
  sync(app: Application, info: readonly { name: string; value: string }[]): Promise<Hindrance | undefined>;
}

const maxBodyBytes = 32 * 1024 * 1024;
const refreshSeconds = 5;
/** How much of what the server says goes into a message. */
const quotedCharacters = 1_000;

const Complaint = z.object({ message: z.string().optional(), error: z.string().optional() });

interface Answer {
  status: number;
  body: unknown;
  /** The server's words where it refused. */
  said: string;
}

/** Speaks with the token, and only to the connection's own address: redirects are refused. */
export function createArgoClient(connection: ArgoConnection, fetch: Fetch): ArgoClient {
  const { server, token, namespace, caCertificates, insecureSkipTLSVerify } = connection;

  async function ask(
    what: string,
    method: "GET" | "PATCH" | "POST",
    path: string,
    { query = {}, body, ...options }: FetchOptions & { query?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    const url = new URL(`${server}/api/v1/applications${path}`);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    const response = await fetch(url, {
      method,
      headers: {
        Accept: "application/json",
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body }),
      redirect: "error",
      maxBodyBytes,
      insecureSkipTLSVerify,
      ...(caCertificates === undefined ? {} : { caCertificates }),
      ...options,
    });
    const text = await response.text();
    const answer = { status: response.status, ...readAnswer(text) };
    if (answer.status === 429 || answer.status >= 502) throw failure("transient", what, answer);
    return answer;
  }

  return {
    namespace,

    async get(name, appNamespace) {
      const what = `read ${titleFor(name, appNamespace)}`;
      const answer = await ask(what, "GET", `/${encodeURIComponent(name)}`, { query: { appNamespace } });
      if (answer.status === 404) return undefined;
      if (answer.status === 403) {
        // Without knowing the Application's project, Argo CD does not tell the two apart.
        const why = "there is no such Application, or the token's account may not get it";
        throw new StepFailure("errored", `${complaint(what, answer)}; ${why}`);
      }
      return read(what, Application, answer);
    },

    async list(selector, appNamespace) {
      const what = `list Argo CD Applications in namespace "${appNamespace}"`;
      const query = { appNamespace, selector: toLabelQuery(selector) };
      const schema = z.object({ items: z.array(Application).nullish() });
      return read(what, schema, await ask(what, "GET", "", { query })).items ?? [];
    },

    async refresh({ metadata }) {
      const what = `refresh ${titleOf({ metadata })}`;
      const query = { appNamespace: metadata.namespace, refresh: "hard" };
      const path = `/${encodeURIComponent(metadata.name)}`;
      try {
        const answer = await ask(what, "GET", path, { query, timeoutSeconds: refreshSeconds });
        return answer.status === 200 ? undefined : complaint(what, answer);
      } catch (error) {
        if (error instanceof StepFailure) return error.message;
        throw error;
      }
    },

    async setSources(app, sources) {
      const what = `change the sources of ${titleOf(app)}`;
      const { name, namespace: appNamespace } = app.metadata;
      const patch = JSON.stringify({
        metadata: { annotations: { "argocd.argoproj.io/refresh": "hard" } },
        spec: sources,
      });
      const body = JSON.stringify({ name, appNamespace, patch, patchType: "merge" });
      read(what, z.unknown(), await ask(what, "PATCH", `/${encodeURIComponent(name)}`, { body }));
    },

    async sync(app, infos) {
      const what = `sync ${titleOf(app)}`;
      const { name, namespace: appNamespace } = app.metadata;
      const body = JSON.stringify({ name, appNamespace, infos });
      const answer = await ask(what, "POST", `/${encodeURIComponent(name)}/sync`, { body });
      if (/another operation is already in progress|blocked by sync window/i.test(answer.said)) {
        return { hindrance: `${titleOf(app)}: ${answer.said}` };
      }
      read(what, z.unknown(), answer);
      return undefined;
    },
  };
}

function readAnswer(text: string): Pick<Answer, "body" | "said"> {
  let body: unknown;
  try {
    body = text === "" ? undefined : JSON.parse(text);
  } catch {
    return { body: text, said: text.slice(0, quotedCharacters) };
  }
  const { message, error } = Complaint.safeParse(body).data ?? {};
  return { body, said: (message ?? error ?? "").slice(0, quotedCharacters) };
}

function read<Schema extends z.ZodType>(what: string, schema: Schema, answer: Answer): z.output<Schema> {
  if (answer.status < 200 || answer.status > 299) {
    const isRefused = answer.status === 401 || answer.status === 403;
    throw failure(isRefused ? "refused" : "errored", what, answer);
  }
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") || "its body";
  throw new StepFailure(
    "errored",
    `Cannot ${what}: the answer is not Argo CD's (${where}: ${issue?.message}); is the address right?`,
  );
}

function failure(kind: "transient" | "refused" | "errored", what: string, answer: Answer): StepFailure {
  return new StepFailure(kind, complaint(what, answer));
}

function complaint(what: string, { status, said }: Answer): string {
  return `Cannot ${what}: Argo CD answered ${status}${said === "" ? "" : ` (${said})`}`;
}
