import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { startDashboard } from "../../dashboard/server.js";
import { say } from "../output.js";
import { wholeNumber } from "../parsers.js";
import { listenForStop } from "../stop-signals.js";

const DEFAULT_PORT = 7860;

export function dashboardCommand(): Command {
  return new Command("dashboard")
    .description("Show runs in the browser, live while they go on; reads run directories only.")
    .argument("[runs]", "Folder of runs, or one run directory", "runs")
    .option("--port <port>", "Port to listen on; 0 for any that is free", wholeNumber(0), DEFAULT_PORT)
    .option("--host <host>", "Address to listen on; any but loopback needs the token that is printed", "127.0.0.1")
    .option("--no-open", "Print the address and open no browser")
    .addHelpText(
      "after",
      `
Nothing is written to the runs, and nothing is fetched from the network. Stop it with Ctrl-C.

Examples:
  $ adastar dashboard
  $ adastar dashboard my-comparison --port 0 --no-open
  $ adastar dashboard --host 0.0.0.0`,
    )
    .action(async (runs: string, { port, host, open }: { port: number; host: string; open: boolean }) => {
      const root = resolve(runs);
      const dashboard = await startDashboard({ root, host, port });
      const stop = listenForStop(() => {});
      try {
        if (!existsSync(root)) say(`${root} does not exist yet; runs are shown as soon as they begin`);
        say(`dashboard of ${root}: ${dashboard.url} (Ctrl-C stops it)`);
        if (open) openBrowser(dashboard.url);
        await new Promise<void>((ended) => {
          if (stop.signal.aborted) ended();
          stop.signal.addEventListener("abort", () => ended());
        });
      } finally {
        stop.dispose();
        await dashboard.close();
      }
    });
}

/** Opens an address in the user's browser, if there is one; the address is printed in any case. */
function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === "darwin"
      ? ["open", url]
      : process.platform === "win32"
        ? ["explorer", url]
        : ["xdg-open", url];
  const child = spawn(command, args, { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
