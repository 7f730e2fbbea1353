import { z } from "zod";
import { CustomPromotionStepSpec } from "#core/resources/custom-promotion-step.ts";

/** A host as Deno's permissions name it: `host`, `*.domain`, an IPv4 address or `[v6]`, with or without a port. */
const NetworkHost = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]+\]|(\*\.)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)(:\d{1,5})?$/, {
    error: 'Expected a host such as "api.example.com", "*.example.com" or "db:5432"',
  })
  .refine((host) => URL.canParse(`tcp://${host}`) && !/:0+$/.test(host), {
    error: "Expected an address of IPv6 in brackets, or a port from 1 to 65535",
  });

/** Relative, since the workspace is somewhere else in a container; Deno splits its lists at commas. */
export const WorkspacePath = z
  .string()
  .min(1)
  .regex(/^[^/,\0\r\n][^,\0\r\n]*$/, {
    error: 'Expected a path relative to the workspace, without commas, such as "out" or "."',
  });

const Program = z.string().regex(/^\/?[A-Za-z0-9_][A-Za-z0-9_./+-]*$/, {
  error: 'Expected the name of a program, such as "git"',
});

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Variables by which a program is made to load code of somebody's choice, or Deno itself is set up. */
const reservedVariable = /^(DENO_|LD_|DYLD_|NODE_OPTIONS$|PATH$)/i;

/** Deno asks for leave to reach a host, and not to reach it through a proxy that the script itself has set. */
const proxyVariable = /^(HTTPS?|ALL|NO)_PROXY$/i;

const VariableName = z
  .string()
  .regex(variableName, { error: "Expected the name of an environment variable" })
  .refine((name) => !proxyVariable.test(name), {
    error: "A script may not have this variable: it could send anything to any host by it",
  });

/** Modules that a script may load: what Deno calls specifiers. */
const ImportSpecifier = z
  .string()
  .regex(
    /^(npm:(@[\w.-]+\/)?[\w.-]+|jsr:@[\w.-]+\/[\w.-]+)(@[\w.^~*+-]+)?(\/[\w./-]+)?$|^https:\/\/[^\s,]+$/,
    {
      error: 'Expected "npm:NAME@VERSION", "jsr:@SCOPE/NAME@VERSION" or an https address',
    },
  );

/** What a script may do. All of it is empty unless the step says otherwise. */
export const ScriptPermissions = z.strictObject({
  net: z.array(NetworkHost).default([]).describe("Hosts that it may talk to, each with a port or with all."),
  read: z.array(WorkspacePath).default([]).describe("Files and folders of the workspace that it may read."),
  write: z
    .array(WorkspacePath)
    .default([])
    .describe("Files and folders of the workspace that it may write; reading them is another permission."),
  env: z.array(VariableName).default([]).describe("Environment variables that it may read."),
  run: z
    .array(Program)
    .default([])
    .describe("Programs that it may start. They are bound by none of these permissions."),
});
export type ScriptPermissions = z.infer<typeof ScriptPermissions>;

/** The configuration of the step `script`. */
export const ScriptStep = z
  .strictObject({
    run: z
      .string()
      .min(1)
      .optional()
      .describe("TypeScript or JavaScript: the body of a function, or a module with a default export."),
    file: WorkspacePath.optional().describe("A module in the workspace to run instead."),
    config: z
      .record(z.string(), z.unknown())
      .default({})
      .describe("Values for the script, which finds them as `config`."),
    permissions: ScriptPermissions.prefault({}).describe("What it may do; nothing is allowed otherwise."),
    env: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .describe("Environment variables, each of which `permissions.env` must name."),
    import: z
      .array(ImportSpecifier)
      .default([])
      .describe("Modules of npm, jsr and https that it may load, with what they themselves need."),
    image: z
      .string()
      .min(1)
      .optional()
      .describe("Image with `deno` on its path; the one that the operator set by default."),
    network: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Network to join, which the operator must allow: for what does not go through a proxy for HTTP.",
      ),
    resources: CustomPromotionStepSpec.shape.resources,
  })
  .superRefine(({ run, file, env, permissions }, context) => {
    if ((run === undefined) === (file === undefined)) {
      context.addIssue({ code: "custom", message: "Give either run or file" });
    }
    for (const name of Object.keys(env)) {
      const message = variableProblem(name, permissions);
      if (message !== undefined) context.addIssue({ code: "custom", path: ["env", name], message });
    }
  });
export type ScriptStep = z.infer<typeof ScriptStep>;

function variableProblem(name: string, permissions: ScriptPermissions): string | undefined {
  if (!variableName.test(name)) return "That is no name of a variable";
  if (reservedVariable.test(name) || proxyVariable.test(name)) return "This variable is not a step's to set";
  if (permissions.env.includes(name)) return undefined;
  return "The script could not read it: name it in permissions.env, too";
}
