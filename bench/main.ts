// Prints how fast things are, beside a floor measured in the same run. `npm run bench -- steps webhook` runs some.
import { benchContainers } from "#bench/containers.ts";
import { benchDiscovery } from "#bench/discovery.ts";
import { benchExpressions } from "#bench/expressions.ts";
import { benchGates } from "#bench/gates.ts";
import { benchGitClone } from "#bench/git-clone.ts";
import { benchRendering } from "#bench/rendering.ts";
import { benchStages } from "#bench/stages.ts";
import { benchStartUp } from "#bench/start-up.ts";
import { benchSteps } from "#bench/steps.ts";
import { benchThroughput } from "#bench/throughput.ts";
import { benchWebhook } from "#bench/webhook.ts";

const benches: Record<string, () => Promise<void>> = {
  steps: benchSteps,
  throughput: benchThroughput,
  webhook: benchWebhook,
  expressions: benchExpressions,
  discovery: benchDiscovery,
  "git-clone": benchGitClone,
  containers: benchContainers,
  gates: benchGates,
  stages: benchStages,
  rendering: benchRendering,
  "start-up": benchStartUp,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`There is no bench "${unknown[0]}": ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench();
}
