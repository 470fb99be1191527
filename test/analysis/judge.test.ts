import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ChatClient, type ChatEndpoint } from "../../src/analysis/rationale-judge/client.js";
import { chosenSamples, type JudgeOptions, judgeRun } from "../../src/analysis/rationale-judge/judge.js";
import { defaultJudgeLog, type LoggedVerdict } from "../../src/analysis/rationale-judge/log.js";
import { questionAbout, verdictIn } from "../../src/analysis/rationale-judge/prompt.js";
import { judgeReport } from "../../src/analysis/rationale-judge/report.js";
import { RunReader } from "../../src/run/directory/reader.js";
import type { DrawnSample } from "../../src/run/directory/records.js";
import { readSealedLog } from "../../src/run/directory/sealed-log.js";
import { startRun } from "../../src/run/loop/runner.js";
import { engineOf, freshDir, smallConfig, smallTask } from "../run/small-run.js";
import { complete, FLAWED, type JudgeServer, refuse, SOUND, startJudge, USAGE } from "./judge-server.js";
import { misreasoned, reasonedRun, reasonedTask } from "./reasoned-run.js";

const MODEL = "the/judge";
/** Nothing like it may ever be shown or kept. */
const KEY = "sk-secret0123456789";

let dir = "";
let server: JudgeServer;
let correct: Record<number, readonly DrawnSample[]> = {};

beforeAll(async () => {
  dir = await reasonedRun();
  correct = Object.fromEntries([1, 2].map((t) => [t, [...RunReader.open(dir).draws(t)].filter((one) => one.correct)]));
  server = await startJudge();
});
afterAll(() => server.close());
afterEach(() => {
  rmSync(defaultJudgeLog(dir, MODEL), { force: true });
  Object.assign(server, { fault: null, reply: null, tells: true, mostAtOnce: 0 });
  server.requests.length = 0;
});

/** A client that waits for nothing, and what it would have waited, in milliseconds. */
function patient(endpoint: Partial<ChatEndpoint> = {}, env: NodeJS.ProcessEnv = {}) {
  const waits: number[] = [];
  const wait = async (ms: number) => void waits.push(ms);
  return { client: new ChatClient({ url: server.url, model: MODEL, ...endpoint }, { env, wait }), waits };
}

const judge = (options: JudgeOptions = {}, client = patient().client) => judgeRun(dir, client, options);

/** Every file below a folder with its size, time of change and content. */
function snapshot(folder: string): unknown {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, statSync(path).mtimeMs, readFileSync(path, "latin1")]);
}

const distinct = (samples: readonly DrawnSample[]) =>
  new Set(samples.map((one) => `${one.observation} ${one.text}`)).size;
const both = () => [...correct[1], ...correct[2]];
const wrong = (samples: readonly DrawnSample[]) => samples.filter((one) => typeof one.wrongStep === "number");

test("the run under audit has right answers after right and after wrong steps", () => {
  for (const t of [1, 2]) {
    expect(correct[t].length).toBeGreaterThan(20);
    expect(wrong(correct[t]).length).toBeGreaterThan(5);
    for (const one of correct[t]) expect(one.wrongStep).toBe(misreasoned(one.observation) ? 0 : null);
  }
});

describe("a judge", () => {
  test("sees every correct sample with its question, and one that errs never agrees with the program on all", async () => {
    const before = snapshot(dir);
    const judging = await judge();
    expect(snapshot(dir)).toEqual(before);
    expect(judging.iterations).toEqual([1, 2].map((iteration) => ({ iteration, correct: correct[iteration].length })));
    const report = judgeReport(judging);
    for (const row of report.rows) {
      const samples = correct[row.iteration];
      expect(row).toMatchObject({ chosen: samples.length, judged: samples.length, none: 0, failed: 0 });
      expect(row.flawed).toBe(wrong(samples).length);
      expect(row.rate).toBe(wrong(samples).length / samples.length);
      expect(row.interval?.low).toBeLessThan(row.rate ?? 0);
      expect(row.interval?.high).toBeGreaterThan(row.rate ?? 1);
    }
    expect(report.agreement).toMatchObject({ agreeing: 1, kappa: 1, recall: 1, precision: 1 });
    expect(report.agreement?.compared).toBe(both().length);

    const [{ path, authorization, body }] = server.requests;
    expect([path, authorization]).toEqual(["POST /v1/chat/completions", undefined]);
    expect(body).toMatchObject({ model: MODEL, temperature: 0, max_tokens: 1024, stream: false });
    expect(body.messages).toEqual([
      { role: "user", content: questionAbout(reasonedTask.train[correct[1][0].observation], correct[1][0].text) },
    ]);
  });

  test("that errs at known rates has exactly the agreement that follows from them", async () => {
    // It lets pass every wrong rationale whose question opens on an even balance, and condemns right ones that open
    // below 20.
    const opening = (question: string) => Number(/\d+/.exec(question)?.[0]);
    const calls = (sound: boolean, question: string) => (sound ? opening(question) >= 20 : opening(question) % 2 === 0);
    server.reply = (sound, question) => (calls(sound, question) ? SOUND : FLAWED);
    const counts = { both: 0, onlyTested: 0, onlyReference: 0, neither: 0 };
    for (const { observation, wrongStep } of both()) {
      const passes = calls(wrongStep === null, reasonedTask.train[observation].question);
      counts[wrongStep === null ? (passes ? "neither" : "onlyTested") : passes ? "onlyReference" : "both"]++;
    }
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(0);
    const { agreement } = judgeReport(await judge());
    expect(agreement).toMatchObject(counts);
    const { both: a, onlyTested: b, onlyReference: c, neither: d } = counts;
    const n = a + b + c + d;
    expect(agreement?.recall).toBe(a / (a + c));
    expect(agreement?.precision).toBe(a / (a + b));
    expect(agreement?.agreeing).toBe((a + d) / n);
    const chance = ((a + b) * (a + c) + (c + d) * (b + d)) / n ** 2;
    expect(agreement?.kappa).toBeCloseTo(((a + d) / n - chance) / (1 - chance), 12);
  });

  test("without a verdict is counted, never guessed", async () => {
    server.reply = (sound) => (sound ? SOUND : "Hard to say: VERDICT: SOUND or VERDICT: FLAWED?");
    const { rows, agreement } = judgeReport(await judge({ iteration: 1 }));
    const undecided = wrong(correct[1]).length;
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      none: undecided,
      cut: 0,
      judged: correct[1].length - undecided,
      flawed: 0,
      rate: 0,
    });
    expect(agreement?.compared).toBe(correct[1].length - undecided);
  });

  test("that is cut has no verdict, whatever it says", async () => {
    server.fault = (response) => {
      complete(response, "VERDICT: SOUND\nSince", true, "length");
      return true;
    };
    const { rows } = judgeReport(await judge({ iteration: 1, samples: 5 }));
    expect(rows[0]).toMatchObject({ chosen: 5, judged: 0, none: 5, cut: 5, rate: null, interval: null });
  });

  test("may think without answering", async () => {
    server.fault = (response) => {
      complete(response, null);
      return true;
    };
    const { rows } = judgeReport(await judge({ iteration: 1, samples: 5 }));
    expect(rows[0]).toMatchObject({ judged: 0, none: 5 });
  });

  test("tells of its tokens, of each reply once, or does not", async () => {
    const { rows, asked } = judgeReport(await judge());
    const replies = distinct(both());
    const { prompt_tokens: prompt, completion_tokens: completion } = USAGE;
    expect(asked).toEqual({ replies, told: replies, prompt: replies * prompt, completion: replies * completion });
    expect(rows.reduce((sum, { tokens }) => sum + tokens.replies, 0)).toBe(replies);
    rmSync(defaultJudgeLog(dir, MODEL));
    server.tells = false;
    expect(judgeReport(await judge()).asked).toEqual({ replies, told: 0, prompt: 0, completion: 0 });
  });

  test("is asked no more than so many questions at a time", async () => {
    const held: (() => void)[] = [];
    // Answers only once three are open, so that fewer at a time would never end.
    server.fault = (response, _, count) => {
      held.push(() => complete(response, SOUND));
      if (held.length === 3 || count > 6) for (const answer of held.splice(0)) answer();
      return true;
    };
    await judge({ iteration: 1, samples: 6, concurrency: 3 });
    expect(server.mostAtOnce).toBe(3);
  });

  test("is of another run's questions once the data are others", async () => {
    const others = [...reasonedTask.train];
    others[3] = { ...others[3], question: `${others[3].question} ` };
    await expect(judge({ task: { ...reasonedTask, train: others } })).rejects.toThrow(
      /expected the observations and prompts that the run was made with, got others.*Restore the files/,
    );
    expect(server.requests).toEqual([]);
  });

  test("is nothing for a run without checked steps to balance, but judges it", async () => {
    const { checkRationale: _, ...unchecked } = smallTask;
    const { runDir } = await startRun(smallConfig({ iterations: 1 }), () => {}, {
      task: unchecked,
      engine: await engineOf(),
    });
    await expect(judgeRun(runDir, patient().client, { task: unchecked, balanced: true })).rejects.toThrow(
      /--judge-balanced: expected a task whose steps a program checks/,
    );
    const report = judgeReport(await judgeRun(runDir, patient().client, { task: unchecked, samples: 10 }));
    expect(report.agreement).toBeNull();
    // From memory: no reasoning at all.
    expect(report.rows[0]).toMatchObject({ judged: 10, flawed: 10, rate: 1 });
  });

  test("is of one iteration where that is asked for, and refuses one that is not there", async () => {
    expect((await judge({ iteration: 2, samples: 3 })).rationales.map(({ iteration }) => iteration)).toEqual([2, 2, 2]);
    expect(await judge({ iteration: 0 })).toMatchObject({ iterations: [], rationales: [] });
    await expect(judge({ iteration: 7 })).rejects.toThrow(/expected one of the iterations .* got 7/);
  });
});

describe("the choice of samples", () => {
  const chosen = (most: number, balanced = false, seed = 1, iteration = 1) =>
    chosenSamples(correct[1], { seed, iteration, most, balanced });

  test("is the same every time, contains smaller ones, and depends on seed and iteration", () => {
    expect(chosen(10)).toEqual(chosen(10));
    expect(chosen(10)).toHaveLength(10);
    expect(chosen(20)).toEqual(expect.arrayContaining(chosen(10)));
    expect(chosen(10, false, 2)).not.toEqual(chosen(10));
    expect(chosen(10, false, 1, 2)).not.toEqual(chosen(10));
    expect(chosen(10_000)).toEqual(correct[1]);
  });

  test("takes every sample equally often", () => {
    const times = new Map<DrawnSample, number>(correct[1].map((one) => [one, 0]));
    const seeds = 2000;
    for (let seed = 0; seed < seeds; seed++)
      for (const one of chosen(10, false, seed)) times.set(one, (times.get(one) ?? 0) + 1);
    const share = 10 / correct[1].length;
    // Five standard deviations; the seeds are fixed.
    const slack = 5 * Math.sqrt(seeds * share * (1 - share));
    for (const count of times.values()) expect(Math.abs(count - seeds * share)).toBeLessThan(slack);
  });

  test("can be half of wrong steps, where there are so many", () => {
    expect(wrong(chosen(8, true))).toHaveLength(4);
    expect(chosen(8, true)).toHaveLength(8);
    const all = wrong(correct[1]).length;
    expect(chosen(10_000, true)).toHaveLength(2 * all);
    expect(wrong(chosen(10_000, true))).toHaveLength(all);
  });

  test("gives no rates of the run when it is balanced, but agreement", async () => {
    const { rows, agreement } = judgeReport(await judge({ balanced: true, samples: 8 }));
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(row).toMatchObject({ chosen: 8, flawed: 4, rate: null, interval: null });
    expect(agreement).toMatchObject({ both: 8, neither: 8, onlyTested: 0, onlyReference: 0 });
  });
});

describe("verdicts", () => {
  test("are asked for once", async () => {
    const first = await judge();
    const count = server.requests.length;
    // Equal samples share a question.
    expect(count).toBe(distinct(both()));
    const again = await judge();
    expect(server.requests).toHaveLength(count);
    expect(again.asked).toEqual([]);
    expect(again.rationales).toEqual(first.rationales);
    expect(judgeReport(again).rows).toEqual(judgeReport(first).rows);
  });

  test("are another's under another model, limit or question, in the same file too", async () => {
    const log = join(dirname(freshDir()), "log.jsonl");
    const options = { iteration: 1, samples: 4, log };
    await judge(options);
    const asked = server.requests.length;
    await judge({ ...options, maxTokens: 99 });
    expect(server.requests).toHaveLength(2 * asked);
    await judge(options, patient({ model: "another" }).client);
    expect(server.requests).toHaveLength(3 * asked);
    await judge(options);
    expect(server.requests).toHaveLength(3 * asked);
    const records = readSealedLog<LoggedVerdict>(log);
    expect(records.map(({ model }) => model)).toEqual([
      ...Array(2 * asked).fill(MODEL),
      ...Array(asked).fill("another"),
    ]);
  });

  test("outlive an end in the middle, and only the others are asked for", async () => {
    const stop = new AbortController();
    server.fault = (_, __, count) => {
      if (count === 5) stop.abort();
      return count >= 5;
    };
    const error = await judge({ iteration: 1, concurrency: 1, signal: stop.signal }).catch((thrown: unknown) => thrown);
    expect(stop.signal.aborted).toBe(true);
    expect(error).toBe(stop.signal.reason);
    expect(readSealedLog(defaultJudgeLog(dir, MODEL))).toHaveLength(4);
    server.fault = null;
    server.requests.length = 0;
    const { asked, rationales } = await judge({ iteration: 1 });
    expect(asked).toHaveLength(distinct(correct[1]) - 4);
    expect(server.requests).toHaveLength(asked.length);
    expect(rationales.every(({ outcome }) => "verdict" in outcome)).toBe(true);
  });

  test("of which one was cut short by a kill are gone on with", async () => {
    const log = defaultJudgeLog(dir, MODEL);
    await judge({ iteration: 1, samples: 3 });
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    for (const [whole, torn] of [
      [lines.slice(0, 2), lines[2].slice(0, 50)],
      [[], lines[0].slice(0, 50)],
    ] as const) {
      writeFileSync(log, [...whole, torn].join("\n"));
      const missing = lines.length - whole.length;
      const progress: number[] = [];
      const onProgress = ({ passedOver }: { passedOver: number }) => void progress.push(passedOver);
      expect((await judge({ iteration: 1, samples: 3, onProgress })).asked).toHaveLength(missing);
      expect(progress[0]).toBe(1);
      expect((await judge({ iteration: 1, samples: 3 })).asked).toHaveLength(0);
    }
  });

  test("that were changed are not believed", async () => {
    const log = defaultJudgeLog(dir, MODEL);
    await judge({ iteration: 1, samples: 3 });
    const [line, ...rest] = readFileSync(log, "utf8").split("\n");
    const turned = line.includes('"sound"') ? line.replace('"sound"', '"flawed"') : line.replace('"flawed"', '"sound"');
    writeFileSync(log, [turned, ...rest].join("\n"));
    expect((await judge({ iteration: 1, samples: 3 })).asked).toHaveLength(1);
  });

  test("are kept beside the run, never inside it, and never in a file of something else", async () => {
    expect(defaultJudgeLog("/runs/one/", "a/b c")).toBe("/runs/one-judged-a-b-c.jsonl");
    const link = join(dirname(freshDir()), "link");
    symlinkSync(dir, link);
    for (const log of [
      join(dir, "verdicts.jsonl"),
      join(dir, "iterations", "new", "v.jsonl"),
      dir,
      join(link, "v.jsonl"),
    ]) {
      await expect(judge({ log })).rejects.toThrow(/--judge-log: expected a file outside of the run directory/);
    }
    const notes = join(dirname(freshDir()), "notes.txt");
    for (const text of ["my notes\n", "my notes", readFileSync(join(dir, "journal.jsonl"), "utf8")]) {
      writeFileSync(notes, text);
      await expect(judge({ log: notes })).rejects.toThrow(/--judge-log: expected a file of verdicts/);
      expect(readFileSync(notes, "utf8")).toBe(text);
    }
    const folder = dirname(freshDir());
    await expect(judge({ log: folder })).rejects.toThrow(/cannot read verdicts from .*EISDIR/);
    await expect(judge({ log: join(folder, "no", "such", "v.jsonl") })).rejects.toThrow(
      /cannot write verdicts to .*ENOENT/,
    );
    expect(server.requests.length).toBeLessThan(10);
  });
});

describe("requests", () => {
  const few = { iteration: 1, samples: 4, concurrency: 1 } as const;

  test("that the endpoint puts off are repeated when it says, else later and later", async () => {
    const answers: [status: number, headers: object][] = [
      [429, { "Retry-After": "7" }],
      [500, {}],
      [503, { "Retry-After": "soon" }],
      [429, { "Retry-After": new Date(Date.now() - 60_000).toUTCString() }],
    ];
    server.fault = (response, _, count) => {
      const answer = answers[count - 1];
      if (answer !== undefined) refuse(response, answer[0], "busy", answer[1]);
      return answer !== undefined;
    };
    const { client, waits } = patient();
    const { rationales } = await judge(few, client);
    expect(waits).toEqual([7000, 2000, 4000, 0]);
    expect(rationales.every(({ outcome }) => "verdict" in outcome)).toBe(true);
  });

  test("that break off are repeated", async () => {
    server.fault = (response, _, count) => {
      if (count === 1) response.destroy();
      if (count === 2) response.writeHead(200, { "Content-Length": "1000" }).write("{", () => response.destroy());
      return count <= 2;
    };
    const { client, waits } = patient();
    await judge(few, client);
    expect(waits).toEqual([1000, 2000]);
  });

  test("that come to nothing are counted, not kept, and asked again by the next audit", async () => {
    // The second question only, five times; the third is longer than the model takes.
    server.fault = (response, _, count) => {
      if (count >= 2 && count <= 6) refuse(response, 500, "out of order");
      if (count === 7) refuse(response, 400, "the prompt is longer than the context");
      return count >= 2 && count <= 7;
    };
    const judging = await judge(few);
    const { rows } = judgeReport(judging);
    expect(rows[0]).toMatchObject({ chosen: 4, judged: 2, none: 0, failed: 2 });
    const reasons = judging.rationales.flatMap(({ outcome }) => ("failed" in outcome ? [outcome.failed] : []));
    expect(reasons[0]).toMatch(/got status 500 \(out of order\)/);
    expect(reasons[1]).toMatch(/got status 400 \(the prompt is longer than the context\)/);
    server.fault = null;
    expect((await judge(few)).asked).toHaveLength(2);
  });

  test("that all fail end the work, as do five in a row", async () => {
    server.fault = (response) => {
      refuse(response, 503, "loading");
      return true;
    };
    await expect(judge({ ...few, samples: 2 })).rejects.toThrow(
      /all requests to the judge failed.*status 503 \(loading\)/,
    );
    server.requests.length = 0;
    await expect(judge({ ...few, samples: 20 })).rejects.toThrow(/5 requests in a row to the judge failed/);
    expect(server.requests).toHaveLength(25);
  });

  test("are not held up by an endpoint that asks for hours", async () => {
    server.fault = (response, _, count) => {
      if (count === 1) refuse(response, 429, "quota used up", { "Retry-After": "7200" });
      return count === 1;
    };
    const { client, waits } = patient();
    expect(judgeReport(await judge(few, client)).rows[0]).toMatchObject({ failed: 1, judged: 3 });
    expect(waits).toEqual([]);
  });

  test("wait no longer than they should", async () => {
    server.fault = () => true;
    const { client, waits } = patient({ timeout: 0.05 });
    await expect(judge({ ...few, samples: 1 }, client)).rejects.toThrow(
      /got none within 0\.05 s\. Give it more time \(--judge-timeout\)/,
    );
    expect(waits).toEqual([1000, 2000, 4000, 8000]);
  });

  test("go to the path below the base, however that is written", async () => {
    for (const url of [`${server.url}/`, `${server.url}/chat/completions`, `${server.url}#top`]) {
      await judge(few, patient({ url }).client);
      rmSync(defaultJudgeLog(dir, MODEL));
    }
    expect(new Set(server.requests.map(({ path }) => path))).toEqual(new Set(["POST /v1/chat/completions"]));
    const withQuery = patient({ url: `${server.url}?api-version=3` }).client;
    expect(withQuery.address).toBe(`${server.url}/chat/completions`);
  });
});

describe("what the user can mend", () => {
  const failing = (fault: JudgeServer["fault"], endpoint: Partial<ChatEndpoint> = {}, env: NodeJS.ProcessEnv = {}) => {
    server.fault = fault;
    return expect(judge({ iteration: 1, concurrency: 1 }, patient(endpoint, env).client)).rejects;
  };

  test.each([
    [401, {}, /got status 401 \(no\)\. Put an API key into the environment variable OPENAI_API_KEY/],
    [
      403,
      { OPENAI_API_KEY: KEY },
      /got status 403 \(no\)\. Check the API key in the environment variable OPENAI_API_KEY/,
    ],
    [404, {}, /got status 404 \(no\)\. Check the URL \(--judge\), which usually ends in \/v1, and the model's name/],
    [405, {}, /got status 405 \(no\)\. Check the URL/],
    [308, {}, /got status 308 \(no\) to "https:\/\/elsewhere\/"\. Check the URL/],
  ])("status %d ends the work at once", async (status, env, message) => {
    await failing(
      (response) => {
        refuse(response, status, "no", status === 308 ? { Location: "https://elsewhere/" } : {});
        return true;
      },
      {},
      env,
    ).toThrow(message);
    expect(server.requests).toHaveLength(1);
    expect(existsSync(defaultJudgeLog(dir, MODEL))).toBe(false);
  });

  test.each([
    [
      "a web page",
      "<!doctype html><title>Welcome</title>",
      /got "<!doctype html>.*Check the URL \(--judge\), which usually ends in \/v1/,
    ],
    ["other JSON", '{"models":[]}', /got "\{\\"models\\":\[\]\}".*Check the URL/],
    ["no choices", '{"choices":[]}', /Check the URL/],
    ["nothing", "", /got ""\. Check the URL/],
  ])("%s instead of a completion", async (_, content, message) => {
    await failing((response) => {
      response.end(content);
      return true;
    }).toThrow(message);
  });

  test("but what is no completion may pass where there were some before", async () => {
    server.fault = (response, _, count) => {
      if (count === 2) response.end("Internal error");
      return count === 2;
    };
    const { client, waits } = patient();
    const { rows } = judgeReport(await judge({ iteration: 1, samples: 4, concurrency: 1 }, client));
    expect(rows[0]).toMatchObject({ failed: 0, judged: 4 });
    expect(waits).toEqual([1000]);
  });

  test("a server that is not there, or a host", async () => {
    const gone = await startJudge();
    await gone.close();
    await failing(null, { url: gone.url }).toThrow(
      /got no connection \(.*ECONNREFUSED.*\)\. Check that the server runs, and its URL/,
    );
    await failing(null, { url: "http://no-such-host.invalid/v1" }).toThrow(/got no connection/);
  });

  test.each([
    ["localhost:8000", /--judge: expected the URL of an OpenAI-compatible endpoint/],
    ["ftp://host/v1", /--judge: expected the URL/],
    ["", /--judge: expected the URL/],
    ["http://me:pass@host/v1", /--judge: expected a URL without user name and password, got one with them/],
  ])("%j is no URL", (url, message) => expect(() => patient({ url })).toThrow(message));

  test("a variable without a key, or with one that no header can carry", () => {
    expect(() => patient({ keyVariable: "NONE" })).toThrow(
      /--judge-key-env: expected an API key in the environment variable NONE/,
    );
    const odd = () => patient({ keyVariable: "ODD" }, { ODD: `${KEY}\nX: y` });
    expect(odd).toThrow(/--judge-key-env: expected an API key of printable/);
    expect(odd).not.toThrow(KEY);
  });
});

describe("an API key", () => {
  test("goes into the header only, even where the endpoint repeats it", async () => {
    server.fault = (response, request, count) => {
      const sent = request.headers.authorization;
      if (count === 1) complete(response, `You sent ${sent}.\nVERDICT: SOUND`);
      if (count === 2) refuse(response, 400, `Incorrect request with ${sent}`);
      return count <= 2;
    };
    const { client } = patient({ keyVariable: "MY_KEY" }, { MY_KEY: ` ${KEY}\n`, OPENAI_API_KEY: "other" });
    const judging = await judge({ iteration: 1, samples: 4, concurrency: 1 }, client);
    for (const { authorization, body } of server.requests) {
      expect(authorization).toBe(`Bearer ${KEY}`);
      expect(JSON.stringify(body)).not.toContain(KEY);
    }
    expect(client.keyVariable).toBe("MY_KEY");
    expect(JSON.stringify(judging)).toContain("You sent Bearer •••.");
    expect(JSON.stringify(judging)).toContain("Incorrect request with Bearer •••");
    for (const text of [JSON.stringify(judging), JSON.stringify(client), readFileSync(judging.log, "utf8")]) {
      expect(text).not.toContain(KEY);
    }
  });

  test("is not in errors", async () => {
    server.fault = (response, request) => {
      refuse(response, 401, `Incorrect API key: ${request.headers.authorization}`);
      return true;
    };
    const { client } = patient({}, { OPENAI_API_KEY: KEY });
    const error = await judge({ iteration: 1, concurrency: 1 }, client).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("Incorrect API key: Bearer •••");
    expect(String(error)).not.toContain(KEY);
  });

  test("is OPENAI_API_KEY's where that is set and no other is named", () => {
    expect(patient({}, { OPENAI_API_KEY: KEY }).client.keyVariable).toBe("OPENAI_API_KEY");
    expect(patient({}, { OPENAI_API_KEY: "" }).client.keyVariable).toBeNull();
  });
});

describe("a reply", () => {
  test.each([
    ["Fine.\nVERDICT: SOUND", "sound"],
    ["VERDICT: FLAWED\n", "flawed"],
    ["Step 2 is off.\r\n\r\n**Verdict:** flawed.", "flawed"],
    ["### VERDICT: SOUND ###\nI hope this helps!", "sound"],
    ["`VERDICT: SOUND`", "sound"],
    ["VERDICT: SOUND\n\nVERDICT: SOUND", "sound"],
    ["<think>VERDICT: FLAWED?\nVERDICT: FLAWED\n</think>\nVERDICT: SOUND", "sound"],
    ["so far\nVERDICT: FLAWED\nno\n</think>\nVERDICT: SOUND", "sound"],
    ["<think>\nVERDICT: SOUND", "none"],
    ["VERDICT: SOUND\nVERDICT: FLAWED", "none"],
    ["VERDICT: SOUND or VERDICT: FLAWED", "none"],
    ["VERDICT: UNSOUND", "none"],
    ["VERDICT: not SOUND", "none"],
    ["My verdict: SOUND", "none"],
    ["The reasoning is SOUND.", "none"],
    ["VERDICT:", "none"],
    ["", "none"],
  ])("%j is %s", (reply, verdict) => expect(verdictIn(reply, "stop")).toBe(verdict));

  test("that was cut is none; how else it ended does not matter", () => {
    expect(verdictIn("VERDICT: SOUND", "length")).toBe("none");
    expect(verdictIn("VERDICT: SOUND", "content_filter")).toBe("none");
    expect(verdictIn("VERDICT: SOUND", null)).toBe("sound");
    expect(verdictIn("VERDICT: SOUND", "eos_token")).toBe("sound");
  });
});

test("a question shows options, and the solution without white space around it", () => {
  const options = [
    { label: "A", text: "red" },
    { label: "B", text: "green" },
  ];
  const asked = questionAbout({ question: "Which? ", options }, "\n Grass is green. The answer is (B).\n");
  expect(asked).toContain("<question>\nWhich?\n(A) red\n(B) green\n</question>");
  expect(asked).toContain("<solution>\nGrass is green. The answer is (B).\n</solution>");
});

test("neither a folder nor a run is made where there is none", async () => {
  const nowhere = join(freshDir(), "none");
  await expect(judgeRun(nowhere, patient().client)).rejects.toThrow(/expected a run directory/);
  expect(existsSync(dirname(nowhere))).toBe(false);
  mkdirSync(nowhere, { recursive: true });
  await expect(judgeRun(nowhere, patient().client)).rejects.toThrow(/expected a run directory/);
  appendFileSync(join(nowhere, "config.yaml"), "task: arithmetic\n");
  expect(await judgeRun(nowhere, patient().client)).toMatchObject({ iterations: [], rationales: [] });
});
