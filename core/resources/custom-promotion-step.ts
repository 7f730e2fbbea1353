import { z } from "zod";
import { kargoEnterpriseV1alpha1 } from "#core/resources/api-versions.ts";
import { Duration } from "#core/resources/duration.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";

const Quantities = z.record(z.string(), z.union([z.string(), z.number()]));

export const StepOutputSource = z.strictObject({
  type: z
    .enum(["Pipe", "Stdout", "Stderr", "File"])
    .default("Pipe")
    .describe("Where the output is read: the file named by $KARGO_OUTPUT, a stream, or the file at `path`."),
  path: z.string().optional().describe("File to read, in the workspace; for the type File."),
  format: z
    .enum(["JSON", "YAML", "KeyValue", "Text"])
    .optional()
    .describe("How the output is read; told by the file's ending, otherwise KeyValue."),
});
export type StepOutputSource = z.infer<typeof StepOutputSource>;

/** Of every container, registered or inline. */
export const allowedHosts = z
  .array(z.string())
  .optional()
  .describe(
    "Hosts that the step may reach by HTTP or a proxy's CONNECT, and no others; for the mode `none`.",
  );

export const CustomPromotionStepSpec = z.strictObject({
  image: z.string().min(1).describe("Image that the command runs in."),
  command: z
    .array(z.string())
    .optional()
    .describe("Program and arguments, with expressions over `config` and `ctx`; the image's own without it."),
  env: z
    .array(z.strictObject({ name: z.string().min(1), value: z.string().default("") }))
    .optional()
    .describe("Environment of the command; values may hold expressions over `config` and `ctx`."),
  output: z
    .strictObject({
      source: StepOutputSource.optional().describe("Where the output comes from."),
      transform: z
        .record(z.string(), z.string())
        .optional()
        .describe("Expressions over `output` by the key that they fill; they replace the output."),
    })
    .optional()
    .describe("What the step puts out."),
  defaultTimeout: Duration.optional().describe("Time-out of steps that set none."),
  defaultErrorThreshold: z.int().min(0).optional().describe("Error threshold of steps that set none."),
  capabilities: z
    .array(z.enum(["access-control-plane", "access-argocd"]))
    .optional()
    .describe("Kargo's capabilities; kept, they mean nothing without Kubernetes."),
  resources: z
    .strictObject({
      requests: Quantities.optional().describe("What the container should have."),
      limits: Quantities.optional().describe("What the container may use at most."),
    })
    .optional()
    .describe("Memory and CPU, as Kubernetes writes them."),
  imagePullSecrets: z
    .array(z.union([z.strictObject({ name: z.string().describe("Name of a Secret.") }), z.string()]))
    .optional()
    .describe("Secrets for pulling the image."),

  configSchema: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("JSON Schema of the step's config, checked before the image is pulled."),
  outputSchema: z.record(z.string(), z.unknown()).optional().describe("JSON Schema of the step's output."),
  summary: z.string().optional().describe("One sentence about the step."),
  examples: z
    .array(
      z.strictObject({
        title: z.string().min(1).describe("What it shows."),
        config: z.record(z.string(), z.unknown()).describe("The step's config."),
      }),
    )
    .optional()
    .describe("Configurations that show what the step is for."),
  user: z
    .union([z.int(), z.string()])
    .optional()
    .describe("User that the command runs as, `uid`, `uid:gid` or a name."),
  platform: z.string().optional().describe("Platform of the image, as `linux/arm64`."),
  entrypoint: z
    .union([z.literal("keep"), z.array(z.string())])
    .optional()
    .describe("Keep the image's entrypoint before the command, or put this one in its place."),
  stopGracePeriod: Duration.optional().describe("Time between SIGTERM and SIGKILL when the step is stopped."),
  network: z
    .strictObject({
      mode: z.string().optional().describe("`none`, `bridge`, or the name of a network; none by default."),
      allow: allowedHosts,
    })
    .optional()
    .describe("What of the network the step may reach."),
  readOnlyRoot: z.boolean().optional().describe("Mount the image read-only; the workspace stays writable."),
  caches: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe("Tells the project's caches apart."),
        path: z.string().min(1).describe("Where the step finds it."),
      }),
    )
    .optional()
    .describe("Named folders that outlive the promotion, mounted at `path`."),
  devices: z
    .array(z.string())
    .optional()
    .describe("Devices of the host; refused unless the daemon allows them."),
  gpus: z
    .union([z.int(), z.literal("all")])
    .optional()
    .describe("GPUs; refused unless the daemon allows them."),
  reuse: z
    .enum(["never", "promotion"])
    .optional()
    .describe("Whether steps of one promotion with the same image and options share a running container."),
});
export type CustomPromotionStepSpec = z.infer<typeof CustomPromotionStepSpec>;

/** A kind of step that runs in a container. Its name is what `uses:` says. */
export const CustomPromotionStep = z.strictObject({
  apiVersion: z.literal(kargoEnterpriseV1alpha1),
  kind: z.literal("CustomPromotionStep"),
  metadata: ObjectMeta,
  spec: CustomPromotionStepSpec.describe("What runs, where, and what it puts out."),
});
export type CustomPromotionStep = z.infer<typeof CustomPromotionStep>;
