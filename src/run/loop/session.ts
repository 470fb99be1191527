/**
 * The beginning of a session: writes the journal's first entry, or checks that everything is as that entry says; and
 * collects what the user should know.
 */

import { UserError } from "../../errors.js";
import { flagOf } from "../../settings.js";
import { isChangeable, resolveConfig } from "../config/config.js";
import type { ConfigKey, RunConfig } from "../config/fields.js";
import { FORMAT } from "../directory/journal.js";
import { journaledSettings } from "../directory/run-config.js";
import type { RunStore } from "../directory/store.js";
import { committedRecords } from "../directory/summary.js";
import { differingPart } from "../identity.js";
import type { RunContext } from "./context.js";
import { canaryOf } from "./weights.js";

/**
 * The settings of a resumed run: those that it has, with the changes. Throws UserError for a setting that must not
 * change.
 */
export function changedConfig(config: RunConfig, changes: Partial<RunConfig>): RunConfig {
  const stated = Object.entries(changes).filter(([, value]) => value !== undefined);
  const fixed = stated.filter(([key, value]) => !isChangeable(key as ConfigKey, value)).map(([key]) => flagOf(key));
  if (fixed.length > 0) {
    throw new UserError(
      `expected only settings that a resumed run may change, got ${fixed.join(", ")}, which would make it another run; start a new one`,
    );
  }
  const layer = (source: string, values: object) => ({ source, folder: process.cwd(), values: { ...values } });
  return resolveConfig([layer("the run", config), layer("the changes", Object.fromEntries(stated))]).config;
}

/** Throws UserError for fewer iterations than are done: finished work is not undone. */
export function refuseFewerIterations({ dir, journal }: RunStore, { iterations }: Partial<RunConfig>): void {
  const done = committedRecords(journal.entries).length;
  if (iterations === undefined || iterations >= done) return;
  throw new UserError(
    `${dir}: expected --iterations of at least ${done}, which are done, got ${iterations}; a run cannot be shortened. ` +
      `Leave --iterations out, or start a new run with --iterations ${iterations}.`,
  );
}

/**
 * Writes the journal's first entry, or checks that data and model are still those that it names. Then records the
 * settings that were changed.
 */
export async function openJournal(run: RunContext, changes: Partial<RunConfig>): Promise<void> {
  const { store, config, engine } = run;
  const changed = Object.fromEntries(
    Object.keys(changes).map((key) => [key, config[key as ConfigKey]]),
  ) as Partial<RunConfig>;
  const weights = await engine.checksum();
  const opened = store.journal.find("opened");
  if (opened === undefined) {
    store.journal.append({
      kind: "opened",
      format: FORMAT,
      settings: journaledSettings(config),
      data: run.data,
      weights,
      canary: await canaryOf(run),
      model: engine.model,
      method: run.method,
    });
    return;
  }
  const refuse = (expected: string, got: string, remedy: string) => {
    throw new UserError(
      `${store.dir}: expected ${expected} that the run began with, got ${got}. ${remedy}, or start a new run.`,
    );
  };
  const differing = differingPart(opened, { data: run.data, weights });
  if (differing === "data")
    refuse(
      `the observations and prompts${run.task.verifier.module === undefined ? "" : ", and the verifier,"}`,
      "others",
      "Restore the files, or state where they are (--data, --eval, --exemplars)",
    );
  if (differing === "weights")
    refuse(
      `the base model (weights ${opened.weights})`,
      `weights ${weights}`,
      "Restore the model's folder, or state where it is (--model)",
    );
  if (Object.keys(changed).length === 0) return;
  store.journal.append({ kind: "reconfigured", settings: journaledSettings(changed) });
  store.writeConfig(config);
}

/** What the user should know about the end of the last session. */
export function noticesOf({ deadOwner, journal }: RunStore): string[] {
  const notices: string[] = [];
  if (deadOwner !== null) {
    notices.push(
      `process ${deadOwner.pid}, which held this run since ${deadOwner.since}, was killed. If the system did so for lack of memory, resume with fewer --threads, ` +
        "or start a new run with a lower --sampling-batch, --max-tokens or --batch-size.",
    );
  }
  const last = journal.entries.at(-1)?.time;
  if (last !== undefined && Date.parse(last) > Date.now() + CLOCK_SLACK_MS) {
    notices.push(
      `the clock went backwards: the journal's last entry was written at ${last}, and now it is ${new Date().toISOString()}. Times in the journal will not increase; nothing else depends on them.`,
    );
  }
  return notices;
}

/** Clocks are often set back by less than this. */
const CLOCK_SLACK_MS = 2000;
