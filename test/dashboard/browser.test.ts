/** The dashboard in a real browser: Debian's chromium, or the one that CHROMIUM names. Skipped where there is none. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Dashboard, startDashboard } from "../../src/dashboard/server.js";
import { startRun } from "../../src/run/loop/runner.js";
import { engineOf, smallConfig, smallTask } from "../run/small-run.js";

const executablePath = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && existsSync(path),
);
if (executablePath === undefined)
  process.stderr.write("no chromium found: the dashboard's browser tests are skipped\n");

const root = mkdtempSync(join(tmpdir(), "adastar-browser-"));
const HOSTILE = `"><img src=x onerror="window.hacked=1">`.replaceAll("/", "");
let dashboard: Dashboard;
let browser: Browser;

const startSmallRun = async (name: string, iterations: number) =>
  startRun(smallConfig({ runDir: join(root, name), iterations }), () => {}, {
    task: smallTask,
    engine: await engineOf(),
  });

describe.skipIf(executablePath === undefined)("in a browser", () => {
  beforeAll(async () => {
    await startSmallRun("one", 4);
    await startSmallRun(HOSTILE, 2);
    dashboard = await startDashboard({ root, host: "127.0.0.1", port: 0 });
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    rmSync(root, { recursive: true });
  });

  const open = async (path: string, options: Parameters<Browser["newPage"]>[0] = {}): Promise<Page> => {
    const page = await browser.newPage(options);
    await page.goto(new URL(path, dashboard.url).href);
    return page;
  };
  const at = (name: string, tab = "overview") => `/run?${new URLSearchParams({ run: name, tab })}`;

  test.each(["light", "dark"] as const)("axe finds nothing serious, %s", async (colorScheme) => {
    for (const path of ["/", at("one"), at("one", "queue"), `${at("one", "observations")}&observation=3`]) {
      const context = await browser.newContext({ colorScheme, bypassCSP: true });
      const page = await context.newPage();
      await page.goto(new URL(path, dashboard.url).href);
      await page.locator("table, .plot svg").first().waitFor();
      await page.addScriptTag({ content: axe.source });
      const found = await page.evaluate<string[]>(`axe.run().then(({ violations }) => violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html.slice(0, 120)).join(" | ")))`);
      expect(found, `${path}, ${colorScheme}`).toEqual([]);
      await context.close();
    }
  });

  test.each([390, 1280, 2560])("no page is wider than a window of %i pixels", async (width) => {
    for (const path of ["/", at("one"), at("one", "queue"), at("one", "observations"), "/compare?run=one"]) {
      const page = await open(path, { viewport: { width, height: 900 } });
      await page.locator("table, .plot svg").first().waitFor();
      expect(await page.evaluate<number>("document.documentElement.scrollWidth"), path).toBeLessThanOrEqual(width);
      await page.close();
    }
  });

  test("a run is shown live while it continues", async () => {
    const page = await open("/");
    await page.getByRole("link", { name: "one", exact: true }).waitFor();
    const going = startSmallRun("second", 3);
    await page.getByRole("link", { name: "second", exact: true }).click();
    await going;
    await page.getByText("3 / 3").waitFor();
    await page.locator(".status.finished").waitFor();
    await page.close();
  });

  test("the scrubber goes through the queue by keyboard, and the address keeps its place", async () => {
    const page = await open(`${at("one", "queue")}&iteration=2`);
    await page.getByRole("heading", { name: "The queue after iteration 2" }).waitFor();
    await page.getByRole("slider").press("ArrowRight");
    await page.getByRole("heading", { name: "The queue after iteration 3" }).waitFor();
    expect(new URL(page.url()).searchParams.get("iteration")).toBe("3");
    await page.reload();
    await page.getByRole("heading", { name: "The queue after iteration 3" }).waitFor();
    await page.getByRole("button", { name: "Play" }).click();
    await page.getByRole("heading", { name: "The queue after iteration 4" }).waitFor();
    await page.close();
  });

  test("observations are searched, and one is shown with its history", async () => {
    const page = await open(at("one", "observations"));
    await page.getByRole("searchbox").fill("7");
    await page.waitForURL(/search=7/);
    const names = page.locator("tbody th");
    await expect.poll(async () => (await names.allTextContents()).every((name) => name.includes("7"))).toBe(true);
    await names.first().getByRole("link").click();
    await page.getByRole("region", { name: /History of observation/ }).waitFor();
    await page.getByRole("heading", { name: "Iteration 1" }).waitFor();
    await page.close();
  });

  test("runs are chosen and compared", async () => {
    const page = await open("/");
    await page.getByRole("checkbox", { name: "Compare one" }).check();
    await page.getByRole("button", { name: "Compare 1" }).click();
    await page.getByRole("heading", { name: "At early stop, as in the paper" }).waitFor();
    await page.close();
  });

  test("a chart is read by arrow keys, shown as a table, and saved", async () => {
    const page = await open(at("one"));
    const chart = page.getByRole("region", { name: "Test accuracy" });
    await chart.locator(".plot").press("ArrowRight");
    await chart.locator(".readout").waitFor();
    await chart.locator("summary").click();
    for (const kind of ["SVG", "PNG", "CSV"]) {
      const download = page.waitForEvent("download");
      await chart.getByRole("button", { name: `Save ${kind}` }).click();
      expect((await download).suggestedFilename()).toBe(`test-accuracy.${kind.toLowerCase()}`);
    }
    await chart.getByRole("button", { name: "Show as a table" }).click();
    expect(await chart.locator("tbody tr").count()).toBe(5);
    await page.close();
  });

  test("hostile names are text", async () => {
    writeFileSync(join(root, HOSTILE, "notes.txt"), "<script>window.hacked=1</script>");
    const page = await open("/");
    await page.getByRole("link", { name: HOSTILE }).click();
    await page.getByRole("heading", { name: HOSTILE }).waitFor();
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    await page.close();
  });
});
