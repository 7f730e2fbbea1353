import { StepFailure } from "#core/failure.ts";

export interface Platform {
  os: string;
  architecture: string;
  /** "" where the architecture has only one. */
  variant: string;
}

/** `linux/arm64` or `linux/arm/v7`. */
export function parsePlatform(text: string): Platform {
  const [os = "", architecture, ...variant] = text.split("/");
  if (architecture === undefined) {
    throw new StepFailure(
      "config",
      `Cannot read platform ${JSON.stringify(text)}: expected <os>/<architecture>, such as linux/amd64`,
    );
  }
  return { os, architecture, variant: variant.join("/") };
}

export function isSamePlatform(one: Platform, other: Platform): boolean {
  return (
    one.os === other.os && one.architecture === other.architecture && variantOf(one) === variantOf(other)
  );
}

/** arm64 is v8: builders write it or leave it out. */
function variantOf({ architecture, variant }: Platform): string {
  return architecture === "arm64" && variant === "v8" ? "" : variant;
}
