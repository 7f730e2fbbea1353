// Runs in Deno, between the runner and the script: hands in what the step gives, writes down what the script gives
// back, and keeps no right of its own that the script could use. The import is dynamic on purpose: for a static
// one Deno asks for no permission to read.
const [folder] = Deno.args;
const exit = Deno.exit;
const { parse, stringify } = JSON;
const workspace = Deno.cwd();
const encoder = new TextEncoder();

const contextFile = `${folder}/context.json`;
const outputFile = `${folder}/output`;
const { script, env, watchInput, ...context } = parse(Deno.readTextFileSync(contextFile));
const output = Deno.openSync(outputFile, { write: true });
for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
Deno.permissions.revokeSync({ name: "read", path: contextFile });
Deno.permissions.revokeSync({ name: "write", path: outputFile });

class Failed extends Error {}
context.fail = (message) => {
  throw new Failed(String(message));
};

function write(result) {
  const bytes = encoder.encode(stringify(result));
  output.truncateSync(0);
  output.seekSync(0, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length; ) at += output.writeSync(bytes.subarray(at));
}

/** JSON has no word for some values, which would be left out silently. */
function asJson(value) {
  return parse(
    stringify(value, (key, part) => {
      if (!["function", "symbol", "bigint"].includes(typeof part)) return part;
      throw new TypeError(
        `the output${key && `, at "${key}",`} has a ${typeof part}, which JSON has no word for`,
      );
    }) ?? "null",
  );
}

/** Places as their author knows them: in the step's text, or relative to the workspace. */
const shorten = (text) => text.replaceAll(`file://${folder}/`, "").replaceAll(`file://${workspace}/`, "");

function told(error) {
  if (error instanceof Failed) return { failed: error.message };
  if (!(error instanceof Error)) return { thrown: `threw ${Deno.inspect(error)}` };
  const frame = shorten(error.stack ?? "").match(
    /^\s+at (?:.*\()?((?!ext:|node:|https?:|file:|harness\.js)[^()\s]+:\d+:\d+)\)?$/m,
  );
  const thrown = shorten(`${error.name}: ${error.message}`);
  const at = frame?.[1];
  return { thrown: at === undefined || thrown.includes(at) ? thrown : `${thrown} (${at})` };
}

async function run() {
  const { default: main } = await import(script);
  return asJson(typeof main === "function" ? await main(context) : main);
}

/** A process that nobody waits for any more ends by itself: its input is open for as long as the daemon lives. */
async function exitWithDaemon() {
  for await (const _ of Deno.stdin.readable);
  exit(143);
}

const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
if (major < 2 || (major === 2 && minor < 9)) {
  write({ unusable: `scripts need Deno 2.9 or newer, and this is ${Deno.version.deno}` });
  exit(0);
}
write({ unfinished: true });
if (watchInput) exitWithDaemon();
// What goes wrong behind the script's back ends it as well.
for (const [type, errorOf] of [
  ["error", ({ error }) => error],
  ["unhandledrejection", ({ reason }) => reason],
]) {
  globalThis.addEventListener(type, (event) => {
    event.preventDefault();
    write(told(errorOf(event)));
    exit(0);
  });
}
try {
  write({ returned: await run() });
} catch (error) {
  write(told(error));
}
exit(0);
