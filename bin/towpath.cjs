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
var path = require("node:path");
var url = require("node:url");
// An installed package has the JavaScript under dist/; a checkout runs its TypeScript as it is.
var built = path.join(__dirname, "..", "dist", "cli", "main.js");
var entry = fs.existsSync(built) ? built : path.join(__dirname, "..", "cli", "main.ts");
import(url.pathToFileURL(entry).href);
