/** Writes the reference of steps under docs/steps anew: `npm run docs`. */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { builtinSteps } from "#steps/index.ts";
import { stepPages } from "./step-pages.ts";

const folder = `${import.meta.dirname}/steps`;
const pages = stepPages(builtinSteps);
await mkdir(folder, { recursive: true });
for (const old of await readdir(folder)) if (!pages.has(old)) await rm(`${folder}/${old}`);
for (const [file, text] of pages) await writeFile(`${folder}/${file}`, text);
