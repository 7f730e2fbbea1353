import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { packagePath } from "#core/package.ts";

interface RunningGate {
  child: ChildProcess;
  url: string;
  said(): string;
  /** Waits until the gate has said so, `times` times. */
  untilSaid(text: string, times?: number): Promise<void>;
  pressEnter(): void;
  exit: Promise<number | null>;
}

/** `towpath gate` as people start it: a process of its own. */
async function startGate(...args: string[]): Promise<RunningGate> {
  const child = spawn(
    process.execPath,
    [packagePath("cli", "main.ts"), "gate", "--addr", "127.0.0.1", "--port", "0", ...args],
    { stdio: "pipe" },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const untilSaid = async (text: string, times = 1) => {
    while (output.split(text).length <= times) {
      if (child.exitCode !== null) throw new Error(`The gate ended: ${output}`);
      await sleep(20);
    }
  };
  const exit = once(child, "exit").then(([code]) => code as number | null);
  await untilSaid("The gate is at ");
  return {
    child,
    url: /http:\S+/.exec(output)?.[0] ?? "",
    said: () => output,
    untilSaid,
    pressEnter: () => child.stdin.write("\n"),
    exit,
  };
}

const script = (text: string) => ["--", process.execPath, "-e", text];

describe("towpath gate with a command", () => {
  it.each([
    { ends: 0, status: 200 },
    { ends: 3, status: 500 },
  ])("answers $status with all that it printed when it ends with $ends", async ({ ends, status }) => {
    const gate = await startGate(
      ...script(`const { writeSync } = require("node:fs");
        writeSync(1, "one "); writeSync(2, "two "); writeSync(1, "three"); process.exit(${ends})`),
    );
    const response = await fetch(gate.url);
    expect(response.status).toBe(status);
    expect(await response.text()).toBe("one two three");
    expect(await gate.exit).toBe(0);
  });

  it("hands the request over as data, which no shell reads", async () => {
    const names = ["GATE_METHOD", "GATE_PATH", "GATE_QUERY", "GATE_BODY"];
    const gate = await startGate(
      ...script(`console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name])))`),
    );
    const body = '$(touch /tmp/x); `id` "é"';
    const response = await fetch(`${gate.url}/a%20b?x=$(id)&y=1?2`, { method: "PUT", body });
    expect(await response.json()).toEqual(["PUT", "/a%20b", "x=$(id)&y=1?2", body]);
  });

  it("says so when the command cannot be run", async () => {
    const gate = await startGate("--", "/no/such/command");
    const response = await fetch(gate.url);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('Cannot run "/no/such/command"');
  });

  it("runs one at a time, in the order of arrival, and goes on with --once=false", async () => {
    const gate = await startGate(
      "--once=false",
      ...script(`console.log(Date.now()); setTimeout(() => console.log(Date.now()), 100)`),
    );
    const answers = await Promise.all([1, 2, 3].map(async () => (await fetch(gate.url)).text()));
    const spans = answers.map((text) => text.trim().split("\n").map(Number)).sort();
    for (const [index, [start]] of spans.entries()) {
      expect(start).toBeGreaterThanOrEqual(spans[index - 1]?.[1] ?? 0);
    }
    gate.child.kill("SIGINT");
    expect(await gate.exit).toBe(0);
  });

  it("ends the command when its client goes away, and then serves the next", async () => {
    const gate = await startGate(
      ...script(`process.env.GATE_PATH === "/slow" ? setInterval(() => {}, 1000) : console.log("quick")`),
    );
    const slow = new AbortController();
    const gone = fetch(`${gate.url}/slow`, { signal: slow.signal }).catch(() => "gone");
    const next = (async () => {
      await sleep(300);
      return (await fetch(`${gate.url}/quick`)).text();
    })();
    await sleep(600);
    slow.abort();
    expect(await gone).toBe("gone");
    expect(await next).toBe("quick\n");
  });
});

describe("towpath gate with nobody but you", () => {
  it("holds a request until Enter is pressed, and then ends", async () => {
    const gate = await startGate();
    const answer = fetch(`${gate.url}/deploy?env=prod`, { method: "POST", body: "x" });
    await gate.untilSaid("POST /deploy?env=prod waits");
    gate.pressEnter();
    expect((await answer).status).toBe(200);
    expect(await gate.exit).toBe(0);
  });

  it("asks about those who queue one after the other", async () => {
    const gate = await startGate("--no-once");
    const released: string[] = [];
    const call = async (name: string) => {
      await (await fetch(`${gate.url}/${name}`)).text();
      released.push(name);
    };
    const first = call("first");
    await gate.untilSaid("/first waits");
    const second = call("second");
    expect(gate.said()).not.toContain("/second waits");
    gate.pressEnter();
    await first;
    await gate.untilSaid("/second waits");
    gate.pressEnter();
    await second;
    expect(released).toEqual(["first", "second"]);
  });

  it("goes on to the next when a client has gone away", async () => {
    const gate = await startGate();
    const impatient = new AbortController();
    const gone = fetch(`${gate.url}/impatient`, { signal: impatient.signal }).catch(() => "gone");
    await gate.untilSaid("/impatient waits");
    impatient.abort();
    await gone;
    await gate.untilSaid("went away");
    const answer = fetch(`${gate.url}/patient`);
    await gate.untilSaid("/patient waits");
    gate.pressEnter();
    expect((await answer).status).toBe(200);
  });

  it("answers 503 to all who wait when it is interrupted", async () => {
    const gate = await startGate();
    const first = fetch(`${gate.url}/first`);
    await gate.untilSaid("/first waits");
    const second = fetch(`${gate.url}/second`);
    await sleep(300);
    gate.child.kill("SIGINT");
    expect([(await first).status, (await second).status]).toEqual([503, 503]);
    expect(await gate.exit).toBe(0);
  });

  it("ends with a word about it when nobody can press Enter any more", async () => {
    const gate = await startGate();
    gate.child.stdin?.end();
    expect((await fetch(gate.url)).status).toBe(503);
    expect(await gate.exit).toBe(1);
    expect(gate.said()).toContain("standard input has ended");
  });
});

describe("what a gate refuses", () => {
  it.each([
    { shows: undefined, status: 401 },
    { shows: "Bearer wrong", status: 401 },
    { shows: "Bearer s3cret ", status: 200 },
    { shows: "bearer s3cret", status: 200 },
    { shows: "Basic s3cret", status: 401 },
  ])("with a token, a request that shows $shows gets $status", async ({ shows, status }) => {
    const gate = await startGate("--token", "s3cret", ...script(""));
    const headers: Record<string, string> = shows === undefined ? {} : { Authorization: shows };
    expect((await fetch(gate.url, { headers })).status).toBe(status);
  });

  it.each([
    { how: "tells its length", length: true },
    { how: "comes in chunks", length: false },
  ])("a body that is too long and $how", async ({ length }) => {
    const gate = await startGate(...script(""));
    const size = 100 * 1024 + 1;
    const headers: Record<string, string> = length ? { "Content-Length": String(size) } : {};
    const status = await new Promise((resolve, reject) => {
      const sending = request(gate.url, { method: "POST", headers }, (response) =>
        resolve(response.resume().statusCode),
      );
      sending.on("error", reject);
      sending.end("x".repeat(size));
    });
    expect(status).toBe(413);
  });

  it.each([
    { args: ["--port", "70000"], says: "is no port" },
    { args: ["--once=maybe"], says: 'Cannot take "maybe" for --once' },
  ])("the flags $args", async ({ args, says }) => {
    await expect(startGate(...args)).rejects.toThrow(says);
  });
});
