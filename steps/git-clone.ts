import { createHash } from "node:crypto";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { addWorkTree } from "#core/git/checkout.ts";
import { ensureRemoteBranch } from "#core/git/remote-branch.ts";
import { cloneRepository } from "#core/git/repository.ts";
import { updateSubmodules } from "#core/git/work-tree.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { authorField, gitOf, sourceOf, userOf, workTreeOf } from "#steps/lib/git-steps.ts";
import { oneOf } from "#steps/lib/one-of.ts";

const Checkout = z
  .strictObject({
    path: z.string().min(1).describe("Where the work tree is made, relative to the workspace."),
    branch: z.string().optional().describe("Branch to check out."),
    commit: z.string().optional().describe("Commit to check out."),
    tag: z
      .string()
      .optional()
      .describe("Tag to check out. Without branch, commit and tag: the default branch."),
    create: z
      .boolean()
      .default(false)
      .describe("Whether a branch that the remote lacks is made there, empty and without history."),
    sparse: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        "Folders to check out, relative to the repository's root; no patterns. Everything by default.",
      ),
    as: z.string().optional().describe("Key of this checkout in the output `commits`; the path by default."),
  })
  .refine(
    ({ branch, commit, tag }) => [branch, commit, tag].filter(Boolean).length <= 1,
    oneOf("only one of branch, commit and tag can be set"),
  );
type Checkout = z.infer<typeof Checkout>;

export default defineStep({
  name: "git-clone",
  summary: "Clones a Git repository and checks out branches, tags or commits to paths of the workspace.",
  notes: `
One clone serves all checkouts of the step; a branch can be checked out once. Repositories are cached by the
daemon, so that only what is new is fetched.

Credentials are looked up by the repository's URL and sent to its host alone. Submodules on other hosts must
be readable without any. A user and password in the URL itself serve the clone and are not kept: later pushes
need credentials.

The author's signing key is kept beside the clone in the workspace, for the steps that sign later, and goes
with it.`,
  config: z.strictObject({
    repoURL: z
      .string()
      .min(1)
      .describe("URL of the repository: https, http, ssh, or an absolute path on this machine."),
    checkout: z.array(Checkout).min(1).superRefine(refuseSameAlias).describe("What to check out, and where."),
    author: authorField
      .optional()
      .describe("Who commits in this clone; whom the operator configured by default."),
    insecureSkipTLSVerify: z
      .boolean()
      .default(false)
      .describe(
        "Whether the server's certificate goes unchecked, for the clone and all that is done with it.",
      ),
    blobless: z
      .boolean()
      .default(false)
      .describe(
        "Whether files' contents are fetched only when they are checked out. The server must support it.",
      ),
    recurseSubmodules: z
      .boolean()
      .default(false)
      .describe("Whether submodules are checked out, theirs as well."),
  }),
  output: z.object({
    commits: z
      .record(z.string(), z.string())
      .describe("Commit checked out at each path, by its `as` or its path."),
  }),
  examples: [
    {
      title: "Check out the freight's commit and the stage's own branch",
      yaml: `
uses: git-clone
config:
  repoURL: https://github.com/example/repo.git
  checkout:
    - commit: \${{ commitFrom("https://github.com/example/repo.git").ID }}
      path: ./src
    - branch: stage/\${{ ctx.stage }}
      create: true
      path: ./out`,
    },
    {
      title: "Check out two folders of a large repository",
      yaml: `
uses: git-clone
config:
  repoURL: https://github.com/example/repo.git
  blobless: true
  checkout:
    - branch: main
      path: ./src
      sparse: [charts/my-app, configs/common]`,
    },
  ],

  async run(config, ctx) {
    const git = gitOf(ctx);
    const checkouts = await Promise.all(
      config.checkout.map(async (checkout) => ({
        checkout,
        workTree: await ctx.workspace.resolve(checkout.path),
      })),
    );
    for (const { checkout } of checkouts) refuseSparsePatterns(checkout);

    const source = await sourceOf(ctx, git, config.repoURL, config.insecureSkipTLSVerify);
    const repository = await cloneRepository(git, source, {
      folder: await ctx.workspace.resolve(folderName(ctx, config.repoURL, config.checkout)),
      blobless: config.blobless,
      user: await userOf(ctx, git, config.author),
      workTrees: checkouts.map(({ workTree }) => workTree),
    });

    const commits: Record<string, string> = {};
    for (const { checkout, workTree } of checkouts) {
      if (checkout.branch) await ensureRemoteBranch(git, repository, checkout.branch, checkout.create);
      commits[checkout.as || checkout.path] = await addWorkTree(
        git,
        repository,
        workTree,
        checkout,
        checkout.sparse ?? [],
      );
      ctx.log.info(`Checked out ${commits[checkout.as || checkout.path]} to ${checkout.path}`);
      if (config.recurseSubmodules) await updateSubmodules(await workTreeOf(ctx, checkout.path));
    }
    return succeeded({ commits });
  },
});

/** The same for each attempt of this step, so that what an interrupted one left is found and replaced. */
function folderName(ctx: StepContext, repoURL: string, checkouts: readonly Checkout[]): string {
  const identity = JSON.stringify([ctx.idempotencyKey, repoURL, checkouts.map((checkout) => checkout.path)]);
  return `repo-${createHash("sha256").update(identity).digest("hex").slice(0, 10)}`;
}

function refuseSameAlias(checkouts: readonly Checkout[], refinement: z.RefinementCtx): void {
  const seen = new Set<string>();
  checkouts.forEach(({ as: alias }, index) => {
    if (!alias) return;
    if (seen.has(alias)) {
      refinement.addIssue({
        code: "custom",
        path: [index, "as"],
        message: `duplicate checkout alias "${alias}"`,
      });
    }
    seen.add(alias);
  });
}

function refuseSparsePatterns({ path, sparse = [] }: Checkout): void {
  for (const folder of sparse) {
    const why = reasonAgainst(folder);
    if (why === undefined) continue;
    throw new StepFailure(
      "errored",
      `Cannot check out only "${folder}" of the repository to "${path}": ${why}`,
    );
  }
}

function reasonAgainst(folder: string): string | undefined {
  if (folder.startsWith("/")) return "the folder must be relative to the repository's root";
  if (folder.startsWith("..")) return "the folder is outside of the repository";
  if (/[*?[]/.test(folder)) return "only folders can be named, no patterns";
  return undefined;
}
