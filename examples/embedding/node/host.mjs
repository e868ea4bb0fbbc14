// A host for the program in ../src/bin/lines.rs: it sends what that wants sent, and says the time.
//
//     node host.mjs PROGRAM < SETTINGS
//
// PROGRAM is a program of this machine, or one for wasm32-wasip1 whose name ends in `.wasm`. SETTINGS are JSON with
// `endpoint`, `access_key` and `secret_key`, or `token`.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = process.argv[2];

if (process.argv[3] === "inside") {
  // The program blocks while it reads, and so has a process of its own.
  const { WASI } = await import("node:wasi");
  const wasi = new WASI({ version: "preview1" });
  const { instance } = await WebAssembly.instantiate(readFileSync(program), wasi.getImportObject());
  process.exit(wasi.start(instance));
}

const now = () => [Date.now(), Math.round(performance.now())];

// Each request on a connection of its own, so that none is sent again behind the program's back.
const exchange = ({ method, url, headers, body, timeout }) =>
  new Promise((resolve) => {
    const { request: send } = url.startsWith("https:") ? https : http;
    const request = send(url, { method, agent: false, timeout, headers: Object.fromEntries(headers) });
    let connected = false;
    request.on("socket", (socket) => socket.on("connect", () => (connected = true)));
    request.on("timeout", () => {
      resolve({ fault: "timed out" });
      request.destroy();
    });
    request.on("error", () => resolve({ fault: connected ? "interrupted" : "not sent" }));
    request.on("response", (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("aborted", () => resolve({ fault: "interrupted" }));
      response.on("end", () =>
        resolve({
          status: response.statusCode,
          headers: Object.entries(response.headers),
          body: Buffer.concat(pieces).toString(),
        }),
      );
    });
    request.end(body);
  });

const wasm = program.endsWith(".wasm");
const command = wasm
  ? [process.execPath, "--no-warnings", fileURLToPath(import.meta.url), program, "inside"]
  : [program];
const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
const say = (what) => child.stdin.write(JSON.stringify({ now: now(), ...what }) + "\n");
child.on("exit", (code) => (process.exitCode = code ?? 1));

say(JSON.parse(readFileSync(0, "utf8")));
for await (const line of createInterface({ input: child.stdout })) {
  const asked = JSON.parse(line);
  if (asked.line !== undefined) {
    console.log(asked.line);
  } else if (asked.wait !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, asked.wait));
    say({});
  } else {
    say(await exchange(asked));
  }
}
