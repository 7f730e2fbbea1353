import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openScriptWorld, places, type ScriptWorld } from "#test/runners/script/script-world.ts";

const inContainer = new Set([
  "read another folder",
  "read the machine's files",
  "read another promotion's workspace",
  "import a file that it may not read",
  "start another",
  "reach a host",
  "load a package",
]);

describe.each(places)("the permissions of a script in $where", ({ where, runs, variables }) => {
  describe.skipIf(!runs)("as the step names them", () => {
    let world: ScriptWorld;
    let outside: string;
    beforeAll(async () => {
      world = await openScriptWorld({ env: { ...(await variables()), TOWPATH_SCRIPT_PROGRAMS: "echo" } });
      outside = await mkdtemp(join(tmpdir(), "towpath-outside-"));
      await writeFile(join(outside, "secret.json"), '"TOP-SECRET"');
      await writeFile(join(outside, "secret.ts"), 'export default "TOP-SECRET"');
    }, 60_000);
    afterAll(() => world[Symbol.asyncDispose]());

    /** Files of an earlier step: some to read, a module, and links, one of which leads out. */
    async function fill(workspace: string) {
      await mkdir(join(workspace, "src/deep"), { recursive: true });
      await writeFile(join(workspace, "src/a.json"), '{"a":1}');
      await writeFile(
        join(workspace, "src/main.ts"),
        'import { b } from "./lib.ts"; export default () => ({ b });',
      );
      await writeFile(join(workspace, "src/lib.ts"), "export const b: number = 2;");
      await writeFile(join(workspace, "other.txt"), "other");
      await symlink("src", join(workspace, "current"));
      await mkdir(join(workspace, "planted"));
      await symlink(outside, join(workspace, "planted/out"));
      await mkdir(join(workspace, "movable/deep"), { recursive: true });
      await symlink("../../src/a.json", join(workspace, "movable/deep/up"));
    }

    async function fillWithoutTraps(workspace: string) {
      await fill(workspace);
      for (const folder of ["planted", "movable"]) await rm(join(workspace, folder), { recursive: true });
    }

    it.each([
      {
        may: "read behind a link that stays inside, and have variables",
        config: {
          run: `const { a } = JSON.parse(Deno.readTextFileSync("current/a.json"));
            return { a, b: Deno.env.get("B"), number: process.env.NUMBER }`,
          env: { B: "x", NUMBER: 3 },
          permissions: { read: ["current"], env: ["B", "NUMBER"] },
        },
        output: { a: 1, b: "x", number: "3" },
      },
      {
        may: "write a folder of its own",
        config: {
          run: 'Deno.mkdirSync("out/deep", { recursive: true }); Deno.writeTextFileSync("out/deep/x", "y");',
          permissions: { write: ["out"] },
        },
        output: {},
      },
      {
        may: "run a file with what it imports",
        config: { file: "src/main.ts", permissions: { read: ["src"] } },
        output: { b: 2 },
      },
      {
        may: "start a program",
        config: {
          run: 'const { stdout } = new Deno.Command("echo", { args: ["hi"] }).outputSync(); return new TextDecoder().decode(stdout)',
          permissions: { run: ["echo"] },
        },
        output: { output: "hi\n" },
      },
    ])("let it $may", async ({ config, output }) => {
      const { outcome, failure } = await world.run(config, { prepare: fill });
      expect(failure).toBeUndefined();
      expect(outcome).toEqual({ status: "succeeded", output });
    });

    const read = (path: string) => `return Deno.readTextFileSync(${JSON.stringify(path)})`;
    const refusals: [string, Record<string, unknown>, RegExp][] = [
      [
        "read without leave",
        { run: read("src/a.json") },
        /may not read "src\/a.json": permissions.read does/,
      ],
      [
        "read another folder",
        { run: read("other.txt"), permissions: { read: ["src"] } },
        /may not read "other.txt"/,
      ],
      [
        "read the machine's files",
        { run: read("/etc/passwd"), permissions: { read: ["."] } },
        /may not read "\/etc\/passwd"/,
      ],
      [
        "read another promotion's workspace",
        { run: "return [...Deno.readDirSync(`${Deno.cwd()}/..`)]", permissions: { read: ["."] } },
        /may not read/,
      ],
      [
        "leave the workspace by dots",
        { run: read("../../etc/passwd"), permissions: { read: ["."] } },
        /may not read/,
      ],
      [
        "read the environment by the way of files",
        { run: read("/proc/self/environ"), permissions: { read: ["."] } },
        /may not read/,
      ],
      [
        "write what it may read",
        { run: 'Deno.writeTextFileSync("src/x", "")', permissions: { read: ["src"] } },
        /may not write "src\/x"/,
      ],
      [
        "import a file that it may not read",
        { run: 'import x from "file:///etc/hostname" with { type: "text" };\nreturn x' },
        /may not read "\/etc\/hostname".*step\.ts:1/s,
      ],
      [
        "import one dynamically",
        { run: 'const at = "file:///etc/hostname"; return await import(at, { with: { type: "text" } })' },
        /may not read "\/etc\/hostname"/,
      ],
      ["import what its file does, without leave", { file: "src/main.ts" }, /may not read "src\/lib.ts"/],
      [
        "require a file",
        { run: 'import { createRequire } from "node:module";\nreturn createRequire("/x.js")("/etc/x.json")' },
        /may not read/,
      ],
      [
        "read the context again",
        { run: "return Deno.readTextFileSync(`${Deno.args[0]}/context.json`)" },
        /may not read/,
      ],
      [
        "write its own output",
        { run: 'Deno.writeTextFileSync(`${Deno.args[0]}/output`, "{}")' },
        /may not write/,
      ],
      ["read a variable", { run: 'return Deno.env.get("PATH")' }, /may not read variable "PATH"/],
      [
        "start a program",
        { run: 'return new Deno.Command("id").outputSync()' },
        /may not start program "id"/,
      ],
      [
        "start another",
        { run: 'return new Deno.Command("id").outputSync()', permissions: { run: ["echo"] } },
        /"id"/,
      ],
      ["load native code", { run: 'return Deno.dlopen("/lib/x.so", {})' }, /may not use "ffi"/],
      ["ask about the machine", { run: "return { name: Deno.hostname() }" }, /may not use "sys"/],
      [
        "reach a host",
        { run: 'return await fetch("https://example.com/")' },
        /may not reach "example.com:443"/,
      ],
      [
        "reach the engine",
        { run: 'return await Deno.connect({ transport: "unix", path: "/var/run/docker.sock" })' },
        /may not/,
      ],
      ["load a package", { run: 'import x from "npm:left-pad";\nreturn x' }, /may not load .*npm.*`import`/],
      ["load a module of jsr", { run: 'return await import("jsr:@std/path")' }, /may not load .*`import`/],
      [
        "load an address",
        { run: 'return await import("https://deno.land/x/y.ts")' },
        /may not load "https:\/\/deno.land\/x\/y.ts": `import`/,
      ],
      [
        "load an address of a host that nobody knows",
        { run: 'return await import("https://modules.example.com/y.ts")' },
        /may not load .*"?modules.example.com.*`import`/,
      ],
      [
        "make a link",
        { run: 'Deno.symlinkSync("/etc", "l")', permissions: { read: ["."], write: ["."] } },
        /./,
      ],
    ];
    // Deno asks for the same permissions everywhere: in a container, where each run takes longer, a few show it.
    const shown = where === "a process" ? refusals : refusals.filter(([what]) => inContainer.has(what));
    it.each(shown)("do not let it %s", async (_, config, message) => {
      const { failure, outcome } = await world.run(config, { prepare: fillWithoutTraps });
      expect(outcome).toBeUndefined();
      expect(failure).toMatchObject({ message: expect.stringMatching(message) });
    });

    it.each([
      {
        what: "a worker",
        run: `new Worker("data:text/javascript,postMessage(Deno.readTextFileSync('/etc/passwd'))", { type: "module" })`,
      },
      {
        what: "a worker that asks for more",
        run: `new Worker("data:text/javascript,1", { type: "module", deno: { permissions: "inherit" } }); postMessage(Deno.readTextFileSync("/etc/passwd"))`,
      },
    ])("hold in $what", async ({ run }) => {
      const wait = `const w = ${run}; await new Promise((resolve, reject) => { w.onmessage = ({ data }) => resolve(data); w.onerror = (e) => { e.preventDefault(); reject(new Error(e.message)); }; })`;
      const { outcome, failure, lines } = await world.run({ run: `${wait}; return 1` });
      expect(outcome).toBeUndefined();
      expect(failure?.message).toMatch(/may not read "\/etc\/passwd"|exit code 70/);
      expect(JSON.stringify(lines)).not.toContain("root:");
    });

    it("do not lead through a link that was planted in the workspace", async () => {
      const tries = [
        { run: read("planted/out/secret.json"), permissions: { read: ["planted"] } },
        { run: read("planted/out/secret.json"), permissions: { read: ["planted/out"] } },
        { run: 'return (await import("./planted/out/secret.ts")).default', permissions: { read: ["."] } },
        { run: 'Deno.writeTextFileSync("planted/out/new", "")', permissions: { write: ["planted"] } },
        {
          run: 'Deno.renameSync("movable/deep/up", "up"); return Deno.readTextFileSync("up")',
          permissions: { read: ["."], write: ["."] },
        },
        { file: "planted/out/secret.ts" },
      ];
      const all = await Promise.all(tries.map((config) => world.run(config, { prepare: fill })));
      for (const [index, { outcome, failure }] of all.entries()) {
        expect(outcome, JSON.stringify(tries[index])).toBeUndefined();
        expect(failure?.message).not.toContain("TOP-SECRET");
      }
    });
  });
});
