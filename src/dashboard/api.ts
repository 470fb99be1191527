/** What the pages ask for. Every answer is bounded: lists come in pages, logs in bins. */

import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { UserError } from "../errors.js";
import { OBSERVATION_FILTERS, OBSERVATION_SORTS } from "./api-types.js";
import { compareRuns } from "./comparison.js";
import { observationHistory } from "./history.js";
import type { Library } from "./library.js";
import { Live } from "./live.js";
import { queuePicture, stepPage } from "./pictures.js";
import { Recent } from "./recent.js";
import { Survey } from "./survey.js";

const MAX_PAGE = 200;
const MAX_SURVEYS = 2;
/** Milliseconds after which an open stream says that it is still there. */
const HEARTBEAT = 15_000;

export function api(library: Library): Hono {
  const app = new Hono();
  const live = new Live(library);
  const surveys = new Recent<string, { readonly survey: Survey; readonly opened: string }>(MAX_SURVEYS);
  const pictures = new Recent<string, ReturnType<typeof queuePicture>>(300);

  const runOf = (context: Context) => library.reader(context.req.query("run") ?? "");
  const surveyOf = async (context: Context): Promise<Survey> => {
    const { survey, dir } = keptSurvey(context);
    try {
      await survey.advance();
    } catch (error) {
      // Once the file is repaired, reading starts over.
      surveys.delete(dir);
      throw error;
    }
    return survey;
  };
  const keptSurvey = (context: Context) => {
    const reader = runOf(context);
    // A run that was begun again in the same folder is another run.
    const opened = `${reader.opened.time} ${reader.opened.data}`;
    const kept = surveys.get(reader.dir);
    if (kept?.opened === opened) return { survey: kept.survey, dir: reader.dir };
    const survey = new Survey(reader);
    surveys.set(reader.dir, { survey, opened });
    return { survey, dir: reader.dir };
  };

  app.onError((error, context) => {
    if (error instanceof UserError) return context.json({ error: error.message }, 400);
    process.stderr.write(`adastar dashboard: ${error.stack ?? error.message}\n`);
    return context.json({ error: `this is a bug in adastar: ${error.message}` }, 500);
  });
  app.get("/runs", (context) => context.json(library.list(whole(context, "from", 0), pageSize(context))));
  app.get("/run", (context) => context.json(library.detail(context.req.query("run") ?? "")));
  app.get("/steps", async (context) => context.json(await stepPage(runOf(context), 400)));
  app.get("/queue", (context) => {
    const reader = runOf(context);
    const iteration = whole(context, "iteration", reader.records.length);
    const key = `${reader.dir} ${iteration} ${reader.find("committed", iteration)?.queue.sha256}`;
    const picture = pictures.get(key) ?? queuePicture(reader, iteration);
    pictures.set(key, picture);
    return context.json({ ...picture, iterations: reader.records.length });
  });
  app.get("/frequencies", async (context) => {
    return context.json((await surveyOf(context)).frequencies());
  });
  app.get("/observations", async (context) => {
    const survey = await surveyOf(context);
    const filter = OBSERVATION_FILTERS.find((one) => one === context.req.query("filter")) ?? null;
    const sort = OBSERVATION_SORTS.find((one) => one === context.req.query("sort")) ?? "index";
    const search = (context.req.query("search") ?? "").slice(0, 200);
    const descending = context.req.query("order") === "descending";
    const from = whole(context, "from", 0);
    return context.json(survey.page({ search, filter, sort, descending, from, count: pageSize(context) }));
  });
  app.get("/observation", async (context) => {
    const isWhole = context.req.query("whole") !== undefined;
    return context.json(await observationHistory(runOf(context), whole(context, "observation", 0), isWhole));
  });
  app.get("/compare", async (context) => context.json(await compareRuns(library, context.req.queries("run") ?? [])));
  app.get("/events", (context) => {
    const topic = context.req.query("run") ?? "";
    return streamSSE(context, async (stream) => {
      let changed = true;
      let wake = () => {};
      const end = live.watch(topic, () => {
        changed = true;
        wake();
      });
      stream.onAbort(() => wake());
      try {
        for (let count = 0; !stream.aborted; count++) {
          await stream.writeSSE({ event: changed ? "change" : "idle", data: String(count) });
          changed = false;
          const waited = new Promise<void>((resume) => {
            wake = resume;
          });
          const beat = setTimeout(() => wake(), HEARTBEAT).unref();
          if (!changed && !stream.aborted) await waited;
          clearTimeout(beat);
        }
      } finally {
        end();
      }
    });
  });
  app.notFound((context) => context.json({ error: "there is no such address" }, 404));
  return app;
}

function pageSize(context: Context): number {
  return Math.min(MAX_PAGE, Math.max(1, whole(context, "count", 50)));
}

/** A whole number of the query. Throws UserError where it is something else. */
function whole(context: Context, name: string, byDefault: number): number {
  const text = context.req.query(name);
  if (text === undefined) return byDefault;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new UserError(`${name}: expected a whole number, got ${JSON.stringify(text)}`);
  return value;
}
