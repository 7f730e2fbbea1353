#!/usr/bin/env node
// Plain old JavaScript on purpose: this file must be understood by the Node that is too old for the rest.
var major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    "towpath needs Node 24 or newer, and this is " +
      process.version +
      ": " +
      "run it as `npm run -s towpath -- ...` in a checkout, which brings its own Node, or install a newer one",
  );
  process.exit(1);
}
var fs = require("node:fs");
var mod = require("node:module");
var path = require("node:path");
var url = require("node:url");
var root = path.join(__dirname, "..");
// An installed package has the JavaScript under dist/; a checkout runs its TypeScript as it is, and keeps
// what Node made of it: taking the types out costs more than all else at the start.
var built = path.join(root, "dist", "cli", "main.js");
var isBuilt = fs.existsSync(built);
if (!isBuilt) mod.enableCompileCache(path.join(root, "node_modules", ".cache", "towpath"));
import(url.pathToFileURL(isBuilt ? built : path.join(root, "cli", "main.ts")).href);
