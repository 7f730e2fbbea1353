import {
  findArtifact,
  findChart,
  findCommit,
  findImage,
  type SubscriptionSource,
  type SubscriptionsOf,
} from "#core/artifacts/find.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import { FreightOrigin, type FreightReference } from "#core/resources/freight.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import type { HostFunction, HostFunctions, HostValue } from "./functions.ts";
import { artifact, chart, freightOrigin, gitCommit, image, type KargoType } from "./kargo-types.ts";
import * as n from "./natures.ts";
import { Struct, TypedMap } from "./runtime/values.ts";
import { Version } from "./runtime/version.ts";

/** Where the functions look resources up; a Store will do. */
export interface ResourceLookup {
  get(ref: ResourceRef): Promise<Resource | undefined>;
}

export interface DataFunctionsOptions {
  readonly project: string;
  /** The project whose Secrets and ConfigMaps serve all projects. */
  readonly sharedProject?: string;
  /** Is told each value of a Secret before an expression sees it. */
  readonly mask: (secret: string) => void;
}

export interface FreightFunctionsOptions {
  readonly project: string;
  readonly freightRequests: readonly FreightRequest[];
  readonly freight: readonly FreightReference[];
}

const { signature, string } = n;
const dictionary = n.mapOf(n.string, n.string);
const credentialTypeLabel = "kargo.akuity.io/cred-type";

/** `configMap`, `secret`, their shared kin, `freightMetadata`, `freightStatus` and `stageMetadata`. */
export function dataFunctions(lookup: ResourceLookup, options: DataFunctionsOptions): HostFunctions {
  const { project, sharedProject = "kargo-shared-resources", mask } = options;

  const configMap = (owner: string) =>
    named("name", dictionary, async (name) => {
      const found = await lookup.get({ kind: "ConfigMap", project: owner, name });
      return textMap((found as { data?: Record<string, string> } | undefined)?.data ?? {});
    });

  const secret = (owner: string, visible: (secret: Resource) => boolean) =>
    named("name", dictionary, async (name) => {
      const found = await lookup.get({ kind: "Secret", project: owner, name });
      const values = found && visible(found) ? secretValues(found) : {};
      for (const value of Object.values(values)) mask(value);
      return textMap(values);
    });

  const metadata = (kind: "Freight" | "Stage", what: string) =>
    named(what, n.map, async (name) => {
      if (name === "") throw new Error(`${what} must not be empty`);
      return (await statusOf(lookup, { kind, project, name }))?.metadata ?? null;
    });

  return {
    configMap: configMap(project),
    sharedConfigMap: configMap(sharedProject),
    secret: secret(project, () => true),
    // Of what is shared, expressions get nothing but what was stored for them.
    sharedSecret: secret(
      sharedProject,
      ({ metadata: { labels } }) => labels?.[credentialTypeLabel] === "generic",
    ),
    freightMetadata: metadata("Freight", "freight ref name"),
    stageMetadata: metadata("Stage", "stage name"),
    freightStatus: named("freight ref name", n.map, async (name) => {
      if (name === "") throw new Error("freight ref name must not be empty");
      return (await statusOf(lookup, { kind: "Freight", project, name })) ?? null;
    }),
  };
}

/** `warehouse`, `commitFrom`, `imageFrom`, `chartFrom` and `artifactFrom` over the freight at hand. */
export function freightFunctions(lookup: ResourceLookup, options: FreightFunctionsOptions): HostFunctions {
  const { project, freightRequests, freight } = options;
  const subscriptions = (origin: FreightOrigin | undefined) =>
    origin ? unneeded : loadSubscriptions(lookup, project, freightRequests);

  /** A function of a text and, if need be, the origin that is meant. */
  const from = (type: KargoType, find: Find): HostFunction => ({
    minArgs: 1,
    maxArgs: 2,
    signatures: [signature([string, freightOrigin.nature], type.nature), signature([string], type.nature)],
    async call([first, second]) {
      const origin =
        second === undefined ? undefined : originOf(second, "second argument must be FreightOrigin");
      const found = find(textOf(first), origin, await subscriptions(origin));
      return found ? type.of(found) : null;
    },
  });

  return {
    warehouse: {
      minArgs: 1,
      maxArgs: 1,
      signatures: [signature([string], freightOrigin.nature)],
      call([name]) {
        if (name === "") throw new Error("name must not be empty");
        return freightOrigin.of({ kind: "Warehouse", name });
      },
    },
    commitFrom: from(gitCommit, (url, origin, of) => findCommit(freightRequests, freight, url, origin, of)),
    imageFrom: from(image, (url, origin, of) => findImage(freightRequests, freight, url, origin, of)),
    artifactFrom: from(artifact, (name, origin, of) =>
      findArtifact(freightRequests, freight, name, origin, of),
    ),
    chartFrom: {
      minArgs: 1,
      maxArgs: 3,
      signatures: [
        signature([string, string, freightOrigin.nature], chart.nature),
        signature([string, string], chart.nature),
        signature([string, freightOrigin.nature], chart.nature),
        signature([string], chart.nature),
      ],
      async call(args) {
        const { url, name, origin } = chartArguments(args);
        const found = findChart(freightRequests, freight, url, name, origin, await subscriptions(origin));
        return found ? chart.of(found) : null;
      },
    },
  };
}

/** `semverParse` and `semverDiff`. */
export const utilityFunctions: HostFunctions = {
  semverParse: {
    minArgs: 1,
    maxArgs: 1,
    signatures: [signature([string], n.version)],
    call([text]) {
      try {
        return Version.parse(textOf(text));
      } catch (error) {
        throw new Error(`invalid semantic version: ${(error as Error).message}`);
      }
    },
  },
  semverDiff: {
    minArgs: 2,
    maxArgs: 2,
    signatures: [signature([string, string], string)],
    call: ([a, b]) => semverDiff(textOf(a), textOf(b)),
  },
};

/** What `gateLink` takes and gives: the step, the decision, how long the link is good, whom it is for. */
export const gateLinkSignatures = [2, 3, 4].map((count) => signature(Array(count).fill(string), string));

/** What all functions of a promotion's templates take and give, for checks; they cannot be called. */
export function promotionFunctionTypes(): HostFunctions {
  const nowhere: ResourceLookup = {
    get: () => Promise.reject(new Error("There is no promotion to look this up for")),
  };
  const scope = { project: "", freightRequests: [], freight: [], mask: () => {} };
  const status = (params: n.Nature[], result: n.Nature): HostFunction => ({
    minArgs: params.length,
    maxArgs: params.length,
    signatures: [signature(params, result)],
    call: () => null,
  });
  return {
    ...dataFunctions(nowhere, scope),
    ...freightFunctions(nowhere, scope),
    ...utilityFunctions,
    always: status([], n.bool),
    failure: status([], n.bool),
    success: status([], n.bool),
    status: status([string], string),
    gateLink: { minArgs: 2, maxArgs: 4, signatures: gateLinkSignatures, call: () => null },
  };
}

type Find = (
  name: string,
  origin: FreightOrigin | undefined,
  subscriptionsOf: SubscriptionsOf,
) => object | undefined;

const unneeded: SubscriptionsOf = () => undefined;

/** What each requested Warehouse subscribes to; of one that is gone nothing is known. */
async function loadSubscriptions(
  lookup: ResourceLookup,
  project: string,
  freightRequests: readonly FreightRequest[],
): Promise<SubscriptionsOf> {
  const known = new Map<string, readonly SubscriptionSource[]>();
  for (const { origin } of freightRequests) {
    const found = await lookup.get({ kind: "Warehouse", project, name: origin.name });
    const spec = found?.spec as { subscriptions?: readonly SubscriptionSource[] } | undefined;
    if (spec) known.set(origin.name, spec.subscriptions ?? []);
  }
  return (name) => known.get(name);
}

async function statusOf(lookup: ResourceLookup, ref: ResourceRef) {
  const found = await lookup.get(ref);
  if (!found) return undefined;
  return (found.status ?? {}) as Record<string, unknown> & { metadata?: Record<string, unknown> };
}

function named(what: string, result: n.Nature, call: (name: string) => Promise<HostValue>): HostFunction {
  return {
    minArgs: 1,
    maxArgs: 1,
    signatures: [signature([string], result)],
    call: ([name]) => call(textOf(name, what)),
  };
}

function textOf(value: HostValue, what = "first argument"): string {
  if (typeof value === "string") return value;
  throw new Error(`${what} must be string`);
}

/** A map of Go's strings: what it lacks is "", not nil. */
function textMap(entries: Readonly<Record<string, string>>): TypedMap {
  return new TypedMap("map[string]string", "", entries);
}

function originOf(value: HostValue, refusal: string): FreightOrigin {
  if (!(value instanceof Struct) || value.type !== freightOrigin.nature.type) throw new Error(refusal);
  return FreightOrigin.parse(Object.fromEntries(value.fields.map((field) => [field.json, field.value])));
}

function chartArguments([url, second, third]: readonly HostValue[]) {
  if (third !== undefined) {
    const name = textOf(second, "when using three arguments, second argument");
    return { url: textOf(url), name, origin: originOf(third, "third argument must be FreightOrigin") };
  }
  if (second === undefined || typeof second === "string") return { url: textOf(url), name: second };
  return { url: textOf(url), origin: originOf(second, "second argument must be string or FreightOrigin") };
}

function semverDiff(a: string, b: string): string {
  let versions: [Version, Version];
  try {
    versions = [Version.parse(a), Version.parse(b)];
  } catch {
    return "Incomparable";
  }
  const [x, y] = versions;
  const index = x.numbers.findIndex((number, i) => number !== y.numbers[i]);
  if (index >= 0) return ["Major", "Minor", "Patch"][index] as string;
  return x.metadata === y.metadata ? "None" : "Metadata";
}
