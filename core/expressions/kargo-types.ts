import * as n from "./natures.ts";
import { type Field, Struct } from "./runtime/values.ts";

/** A struct of Kargo's as expressions see it: fields by their Go names, and by other names in JSON. */
export interface KargoType {
  readonly nature: n.Nature;
  /** The struct that a resource's JSON stands for; what it lacks has Go's zero value. */
  of(json: object): Struct;
}

interface FieldType {
  readonly nature: n.Nature;
  readonly zero: unknown;
}

const text: FieldType = { nature: n.string, zero: "" };
const texts: FieldType = { nature: n.mapOf(n.string, n.string), zero: null };
const data: FieldType = { nature: n.map, zero: {} };

/** `names` are Go's names of the fields; JSON's begin small, with `ID` and its like all small. */
function kargoType(
  type: string,
  names: Readonly<Record<string, FieldType>>,
  keepEmpty: readonly string[] = [],
): KargoType {
  const fields = Object.entries(names).map(([name, { zero }]) => {
    const json =
      name === name.toUpperCase() ? name.toLowerCase() : name.charAt(0).toLowerCase() + name.slice(1);
    return { name, json, zero, omitEmpty: !keepEmpty.includes(name) };
  });
  const natures = Object.entries(names).map(([name, { nature }]) => [name, nature]);
  return {
    nature: n.struct(type, Object.fromEntries(natures)),
    of(json) {
      const given = json as Record<string, unknown>;
      return new Struct(
        type,
        fields.map(({ name, json: key, zero, omitEmpty }): Field => {
          return { name, json: key, omitEmpty, value: given[key] ?? zero };
        }),
      );
    },
  };
}

export const freightOrigin = kargoType("v1alpha1.FreightOrigin", { Kind: text, Name: text }, [
  "Kind",
  "Name",
]);

export const gitCommit = kargoType("v1alpha1.GitCommit", {
  RepoURL: text,
  ID: text,
  Branch: text,
  Tag: text,
  Message: text,
  Author: text,
  Committer: text,
  SubscriptionName: text,
});

export const image = kargoType("v1alpha1.Image", {
  RepoURL: text,
  Tag: text,
  Digest: text,
  Annotations: texts,
  SubscriptionName: text,
});

export const chart = kargoType("v1alpha1.Chart", {
  RepoURL: text,
  Name: text,
  Version: text,
  SubscriptionName: text,
});

/** The one whose JSON has Go's own names, since Kargo made it for expressions alone. */
const artifactFields = { ArtifactType: text, SubscriptionName: text, Version: text, Metadata: data };

export const artifact: KargoType = {
  nature: n.struct(
    "function.expressionFriendlyArtifactReference",
    Object.fromEntries(Object.entries(artifactFields).map(([name, { nature }]) => [name, nature])),
  ),
  of(json) {
    const plain = kargoType("function.expressionFriendlyArtifactReference", artifactFields).of(json);
    const fields = plain.fields.map((field) => ({ ...field, json: field.name, omitEmpty: false }));
    return new Struct(plain.type, fields);
  },
};
