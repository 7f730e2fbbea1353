import type { Methods } from "./methods.ts";

export class Version {
  readonly type = "*semver.Version";
  readonly original = "";
  static parse(_text: string): Version {
    return new Version();
  }
  toJson(): string {
    return "";
  }
}
export const versionMethods: Methods<Version> = {};
