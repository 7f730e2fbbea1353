// Made from core/script-context.ts by `npm run schemas`: change that.

/** What a script of the step `script` is called with. */
export interface ScriptContext<Config = Record<string, any>> {
  /** What the step gives as `config`. */
  config: Config;
  /** The promotion, as expressions see it. */
  ctx: {
    /** Address of the daemon's web page. */
    uiBaseUrl: string;
    project: string;
    /** The stage that is promoted to. */
    stage: string;
    /** Name of the promotion. */
    promotion: string;
    /** The freight that is promoted. */
    targetFreight: {
      name: string;
      alias: string;
      origin: {
        /** Name of the Warehouse. */
        name: string;
      };
    };
    meta: {
      promotion: {
        /** Who asked for the promotion. */
        actor: string;
        /** Whether it goes back to earlier freight. */
        rollback: boolean;
      };
      step: {
        /** Name of this step. */
        alias: string;
      };
    };
  };
  /** Outputs of earlier steps, by alias. */
  outputs: Record<string, any>;
  /** Variables that this step sees. */
  vars: Record<string, any>;
  /** The task that the step stands in. */
  task?: {
    /** Outputs of the task's earlier steps, by their short names. */
    outputs: Record<string, any>;
  };
  /** All freight of the promotion, with its artifacts. */
  freight: Array<{
    name: string;
    origin: {
      /** Kind of the origin; always Warehouse. */
      kind: "Warehouse";
      /** Name of the Warehouse. */
      name: string;
    };
    /** Git commits. */
    commits?: Array<{
      /** URL of the repository. */
      repoURL: string;
      /** Hash of the commit. */
      id?: string;
      /** Branch that the commit was found on. */
      branch?: string;
      /** Tag that led to the commit. */
      tag?: string;
      /** First line of the commit's message. */
      message?: string;
      /** Who wrote it. */
      author?: string;
      /** Who committed it. */
      committer?: string;
      /** Name of the subscription that found it. */
      subscriptionName?: string;
    }>;
    /** Container images. */
    images?: Array<{
      /** Repository of the image, without tag and digest. */
      repoURL: string;
      /** Tag that was found. */
      tag?: string;
      /** Digest of the image, as `sha256:…`. */
      digest?: string;
      /** Annotations of the image's manifest. */
      annotations?: Record<string, string>;
      /** Name of the subscription that found it. */
      subscriptionName?: string;
    }>;
    /** Helm charts. */
    charts?: Array<{
      /** Repository of the chart; for OCI, the chart itself. */
      repoURL: string;
      /** Name of the chart; none for OCI. */
      name?: string;
      /** Version of the chart. */
      version?: string;
      /** Name of the subscription that found it. */
      subscriptionName?: string;
    }>;
    /** Artifacts of other kinds. */
    artifacts?: Array<{
      /** Kind of the artifact. */
      artifactType?: string;
      /** Name of the subscription that found it. */
      subscriptionName: string;
      /** Version of the artifact. */
      version: string;
      /** What the subscription found out about it. */
      metadata?: any;
    }>;
  }>;
  /** Ends the step as Failed, for good; anything else that is thrown may be tried again. */
  fail(message: string): never;
}

/** The default export of a script. What it returns is the step's output: an object, or what becomes its `output`. */
export type Script<Config = Record<string, any>> = (context: ScriptContext<Config>) => unknown;
