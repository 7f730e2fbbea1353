import { StepFailure } from "#core/failure.ts";

const binary: Record<string, number> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 };
const decimal: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
};

/** The number that a Kubernetes quantity stands for: `250m` is 0.25, `64Mi` is 67108864. */
export function parseQuantity(quantity: string | number, what: string): number {
  const match = /^(\d+(?:\.\d*)?|\.\d+)(?:([KMGTP]i)|([numkMGTP]?)|[eE](\d+))$/.exec(String(quantity).trim());
  if (!match) {
    throw new StepFailure(
      "config",
      `Cannot read ${what} "${quantity}": expected a quantity such as 250m, 2 or 64Mi`,
    );
  }
  const [, amount, binaryUnit, decimalUnit = "", exponent] = match;
  const factor = binaryUnit ? binary[binaryUnit] : exponent ? 10 ** Number(exponent) : decimal[decimalUnit];
  return Number(amount) * (factor ?? 1);
}
