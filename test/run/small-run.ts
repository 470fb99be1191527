/** A run of a second: the arithmetic task with the simulated learner, in a folder of its own. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { openScriptedEngine, type ScriptedOptions } from "../../src/engine/scripted/scripted-engine.js";
import { resolveConfig } from "../../src/run/config/config.js";
import { type ConfigKey, fields, type RunConfig } from "../../src/run/config/fields.js";
import { readJournal } from "../../src/run/directory/journal.js";
import type { IterationRecord, RunEvent } from "../../src/run/events.js";
import { lessonsOf } from "../../src/run/lessons.js";
import { arithmetic as family } from "../../src/tasks/generated/arithmetic.js";
import { generatedTask } from "../../src/tasks/generated/family.js";
import type { Task } from "../../src/tasks/task.js";

const arithmetic = generatedTask(family, { taskSeed: 7, trainSize: 60, testSize: 20 });

/** With worked examples and hints, so that every kind of prompt occurs. */
export const smallTask: Task = {
  ...arithmetic,
  rationalize: true,
  exemplars: [
    { question: "Balance 10. Mon +1, Tue +2?", rationale: "Mon: 10+1=11\nTue: 11+2=13", answer: "13" },
    { question: "Balance 20. Fri -1, Sat +5?", rationale: "Fri: 20-1=19\nSat: 19+5=24", answer: "24" },
  ],
};

/** Where waiting for the disk costs nothing; a power cut is not what these tests are about. */
const fastFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const created: string[] = [];
afterAll(() => {
  for (const dir of created) rmSync(dir, { recursive: true, force: true });
});

/** A run directory's path that is not taken; removed after the tests of the file that asked for it. */
export function freshDir(): string {
  const parent = mkdtempSync(join(fastFolder, "adastar-run-"));
  created.push(parent);
  return join(parent, "run");
}

export function smallConfig(values: Partial<RunConfig> = {}): RunConfig {
  const settings: Partial<RunConfig> = {
    engine: "scripted",
    runDir: freshDir(),
    iterations: 3,
    batchSize: 4,
    steps: 5,
    learningRate: 5e-3,
    samplingBatch: 8,
    ...values,
  };
  return resolveConfig([{ source: "test", folder: "/", values: settings }]).config;
}

/** Hold places and times, and nothing that is not in the journal as well; the last one is only for people who look. */
const LEFT_OUT: ReadonlySet<string> = new Set(["config.yaml", "table.csv", "progress.json", "progress.json.tmp"]);

/** Everything of a run that must not depend on when it was killed: file by file, times left out. */
export function essence(dir: string): Record<string, unknown> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !LEFT_OUT.has(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(
    files.map((path) => {
      const name = path.slice(dir.length + 1);
      return [name, name === "journal.jsonl" ? timeless(determining(path)) : readFileSync(path, "latin1")];
    }),
  );
}

/** The journal's entries, with only those settings that determine a run. */
function determining(path: string): unknown[] {
  const determines = (key: string) => !(key in fields) || fields[key as ConfigKey].scope === "result";
  return readJournal(path).map((entry) =>
    entry.kind === "opened"
      ? { ...entry, settings: Object.fromEntries(Object.entries(entry.settings).filter(([key]) => determines(key))) }
      : entry,
  );
}

/** The value without what may differ between runs of the same configuration. */
export function timeless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "time" && key !== "seconds" && key !== "check");
  return Object.fromEntries(kept.map(([key, item]) => [key, timeless(item)]));
}

/** A listener that keeps all events. */
export function recorder(): { readonly events: RunEvent[]; readonly listen: (event: RunEvent) => void } {
  const events: RunEvent[] = [];
  return { events, listen: (event) => void events.push(event) };
}

/** The simulated learner for the small task. */
export async function engineOf(options: Partial<ScriptedOptions> = {}): Promise<Engine> {
  return openScriptedEngine({ lessons: lessonsOf(smallTask), ...options });
}

/** The engine with some of its methods replaced. */
export function altered(engine: Engine, changes: Partial<Engine>): Engine {
  return new Proxy(engine, {
    get(target, key) {
      if (Object.hasOwn(changes, key)) return Reflect.get(changes, key) as unknown;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The rows of the closing table. */
export const records = (events: readonly RunEvent[]): IterationRecord[] =>
  events.flatMap((event) => (event.kind === "iteration" ? [event.record] : []));
