// Makes dist/, which the published package ships: Node strips no types under node_modules.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, rmSync, writeFileSync } from "node:fs";

const rooms = ["core", "steps", "runners", "server", "cli"];

rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
// For those who write steps: the types of what they import.
execFileSync("tsc", ["-p", "tsconfig.types.json"], { stdio: "inherit" });

// Our imports name the source files; here they mean the JavaScript made of them.
const imports = Object.fromEntries(rooms.map((room) => [`#${room}/*.ts`, `./${room}/*.js`]));
writeFileSync("dist/package.json", `${JSON.stringify({ type: "module", imports }, null, 2)}\n`);

for (const asset of globSync(`{${rooms.join(",")}}/**/*.{css,js,svg,sql,html,json,wasm,txt,md}`)) {
  cpSync(asset, `dist/${asset}`);
}
