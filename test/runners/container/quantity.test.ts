import { describe, expect, it } from "vitest";
import { parseQuantity } from "#runners/container/quantity.ts";

describe("Kubernetes quantities", () => {
  it.each([
    ["64Mi", 67_108_864],
    ["1Gi", 1_073_741_824],
    ["1.5Gi", 1_610_612_736],
    ["128M", 128_000_000],
    ["250m", 0.25],
    ["2", 2],
    ["0.5", 0.5],
    ["1e3", 1000],
    [2, 2],
  ])("%s is %d", (quantity, number) => {
    expect(parseQuantity(quantity, "the limit")).toBeCloseTo(number);
  });

  it.each(["", "lots", "64 MiB", "-1", "1Ki5"])('"%s" is refused by name', (quantity) => {
    expect(() => parseQuantity(quantity, "the memory limit")).toThrow(
      `Cannot read the memory limit "${quantity}"`,
    );
  });
});
