import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RunReader } from "../../src/run/directory/reader.js";
import { complete, FLAWED, type JudgeServer, refuse, SOUND, startJudge, USAGE } from "../analysis/judge-server.js";
import { reasonedRun } from "../analysis/reasoned-run.js";
import { freshDir } from "../run/small-run.js";
import { adastar } from "./in-process.js";

const KEY = "sk-secret0123456789";
const saved = process.env["OPENAI_API_KEY"];

let dir = "";
let server: JudgeServer;
let log = "";

beforeAll(async () => {
  dir = await reasonedRun();
  server = await startJudge();
});
afterAll(() => server.close());
beforeEach(() => {
  delete process.env["OPENAI_API_KEY"];
  log = `${freshDir()}.jsonl`;
});
afterEach(() => {
  if (saved !== undefined) process.env["OPENAI_API_KEY"] = saved;
  delete process.env["JUDGE_TEST_KEY"];
  process.exitCode = undefined;
  Object.assign(server, { fault: null, reply: null, tells: true });
  server.requests.length = 0;
});

const audit = (...args: string[]) =>
  adastar(["audit", dir, "--judge", server.url, "--judge-model", "judge", "--judge-log", log, ...args]);

const correct = (iteration: number) => [...RunReader.open(dir).draws(iteration)].filter((one) => one.correct);
const wrong = (iteration: number) => correct(iteration).filter((one) => typeof one.wrongStep === "number");

describe("audit --judge", () => {
  test("opens the run's own task, and shows rates, agreement and what is flawed", async () => {
    const { code, stdout, stderr } = await audit("--limit", "2");
    expect([code, stderr.split("\n")[0]]).toEqual([
      0,
      expect.stringMatching(/^Questions to judge at http:.*\/v1\/chat\/completions, without an API key: \d+$/),
    ]);
    expect(stderr).toMatch(/^(\d+) of \1 done$/m);
    expect(stdout).toMatch(/^iteration +split +samples/m);
    expect(stdout).toMatch(/^Right answers whose rationales judge calls flawed$/m);
    expect(stdout).toMatch(
      /^iteration +correct +chosen +judged +flawed +no verdict +failed +rate +95 % interval +tokens$/m,
    );
    for (const t of [1, 2]) {
      const [all, bad] = [correct(t).length, wrong(t).length];
      const rate = `${((100 * bad) / all).toFixed(1)} %`;
      expect(stdout).toMatch(
        new RegExp(`^ +${t} +${all} +${all} +${all} +${bad} +0 +0 +${rate} +[\\d.]+ % to [\\d.]+ %`, "m"),
      );
    }
    expect(stdout).toMatch(/^judge compared with the program that checks steps, on the samples above/m);
    const [bad, all] = [wrong(1).length + wrong(2).length, correct(1).length + correct(2).length];
    expect(stdout).toMatch(new RegExp(`^program: a wrong step +${bad} +0$`, "m"));
    expect(stdout).toMatch(new RegExp(`^program: all right +0 +${all - bad}$`, "m"));
    expect(stdout).toContain(`Agree on 100.0 % of ${all} (95 % interval`);
    expect(stdout).toContain("Cohen's kappa 1.00.");
    expect(stdout).toContain(`Flawed by the judge: ${bad}, the first 2 (--limit)\n`);
    expect(stdout).toMatch(
      /^ {2}iteration 1, train train-\d+, try [12]; the program finds step 1 wrong\n {4}One does not\.\\nVERDICT: FLAWED$/m,
    );
    expect(stdout).toContain(`Verdicts are kept in ${log}.`);
  });

  test("says that nothing is asked the second time", async () => {
    await audit("--judge-samples", "5");
    const asked = server.requests.length;
    const { stdout, stderr } = await audit("--judge-samples", "5");
    expect(server.requests).toHaveLength(asked);
    expect(stderr).toContain(
      `Questions to judge at ${server.url}/chat/completions, without an API key: 0; verdicts already in ${log}: ${asked}\n`,
    );
    expect(stdout).toContain("No requests were needed.");
  });

  test("--json carries everything", async () => {
    server.reply = (sound) => (sound ? SOUND : "I cannot tell.");
    const { stdout } = await audit("--iteration", "1", "--judge-samples", "6", "--judge-balanced", "--json");
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const { judge, counts } = JSON.parse(stdout);
    expect(counts).toHaveLength(2);
    expect(judge).toMatchObject({ model: "judge", prompt: 1, balanced: true, log });
    const replies = server.requests.length;
    const tokens = {
      replies,
      told: replies,
      prompt: replies * USAGE.prompt_tokens,
      completion: replies * USAGE.completion_tokens,
    };
    const counted = { chosen: 6, judged: 3, flawed: 0, none: 3, cut: 0, failed: 0 };
    expect(judge.rows).toEqual([
      { iteration: 1, correct: correct(1).length, ...counted, rate: null, interval: null, tokens },
    ]);
    expect(judge.asked).toEqual(tokens);
    expect(judge.agreement).toMatchObject({
      compared: 3,
      neither: 3,
      agreeing: 1,
      kappa: null,
      recall: null,
      precision: null,
    });
    expect(judge.verdicts).toHaveLength(6);
    for (const one of judge.verdicts) {
      expect(one).toMatchObject({
        iteration: 1,
        id: expect.stringMatching(/^train-\d+$/),
        attempt: expect.any(Number),
        finish: "stop",
      });
      expect([one.wrongStep, one.verdict, one.reply]).toEqual(
        one.wrongStep === null ? [null, "sound", SOUND] : [0, "none", "I cannot tell."],
      );
    }
  });

  test("without --judge nothing of it is there", async () => {
    const { stdout } = await adastar(["audit", dir, "--json"]);
    expect(JSON.parse(stdout)).not.toHaveProperty("judge");
    expect(server.requests).toEqual([]);
  });

  test("a balanced choice has no rates; replies without a verdict, failures and missing tokens are told", async () => {
    server.tells = false;
    let cut = 0;
    server.fault = (response, _, count) => {
      if (count === 2) refuse(response, 400, "too long");
      else if (count > 2 && cut++ === 0) complete(response, "Thinking", false, "length");
      else return false;
      return true;
    };
    const { code, stdout } = await audit(
      "--iteration",
      "1",
      "--judge-samples",
      "8",
      "--judge-balanced",
      "--judge-concurrency",
      "1",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +1 +\d+ +8 +6 +\d +1 +1 +– +– +–$/m);
    expect(stdout).toContain(
      "Half of the samples were chosen for a wrong step (--judge-balanced), so these are not the rates of the run.",
    );
    expect(stdout).toContain(
      "Replies without a verdict, not counted: 1; cut by the token limit (--judge-max-tokens): 1.",
    );
    expect(stdout).toMatch(
      /^Could not be judged: 1; the same command asks again\. The first: expected a chat completion .*status 400 \(too long\)$/m,
    );
    expect(stdout).toContain("New replies: 7, the endpoint does not report their tokens.");
    expect(stdout).toMatch(
      /^judge compared with the program that checks steps, on a mix in which half have a wrong step/m,
    );
  });

  test("says so where there is nothing to judge", async () => {
    const { code, stdout } = await audit("--iteration", "0");
    expect([code, server.requests.length]).toEqual([0, 0]);
    expect(stdout).toContain("There are no correct training samples.");
  });

  test("reads the key from the environment, names the variable, and shows the key nowhere", async () => {
    process.env["JUDGE_TEST_KEY"] = KEY;
    process.env["OPENAI_API_KEY"] = "sk-another";
    server.reply = () => `You sent Bearer ${KEY}\n${FLAWED}`;
    const { code, stdout, stderr } = await audit("--judge-samples", "3", "--judge-key-env", "JUDGE_TEST_KEY");
    expect(code).toBe(0);
    expect(stderr).toContain("with the API key in JUDGE_TEST_KEY");
    expect(new Set(server.requests.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${KEY}`]));
    expect(stdout).toContain("You sent Bearer •••");
    for (const text of [stdout, stderr, readFileSync(log, "utf8")]) expect(text).not.toContain("sk-");
  });

  test("stopped by a signal, it keeps the verdicts and sets the exit code", async () => {
    server.fault = (_, __, count) => {
      if (count === 4) process.emit("SIGINT", "SIGINT");
      return count >= 4;
    };
    const { code, stdout, stderr } = await audit("--judge-concurrency", "1");
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("SIGINT: open requests are cancelled");
    expect(stderr).toContain("Stopped. Verdicts so far are kept, and the same command continues.");
    expect(readFileSync(log, "utf8").trimEnd().split("\n")).toHaveLength(3);
  });
});

test.each<[string, string[], RegExp]>([
  ["a judge without a model", ["--judge", "http://localhost:1/v1"], /--judge: expected --judge-model NAME beside it/],
  ["options without a judge", ["--judge-samples", "5"], /--judge-samples: expected --judge URL beside it, got none/],
  ["a balance without a judge", ["--judge-balanced"], /--judge-balanced: expected --judge URL beside it/],
  [
    "test answers",
    ["--judge", "x", "--judge-model", "m", "--split", "test"],
    /--judge: expected training samples.*got --split test/,
  ],
  ["no samples", ["--judge-samples", "0"], /Expected a whole number of at least 1/],
  ["more patience than fetch has", ["--judge-timeout", "301"], /Expected a number above 0 and at most 300/],
  ["no URL", ["--judge", "x", "--judge-model", "m"], /--judge: expected the URL of an OpenAI-compatible endpoint/],
  [
    "no such variable",
    ["--judge", "http://localhost:1/v1", "--judge-model", "m", "--judge-key-env", "NO_SUCH_KEY"],
    /--judge-key-env: expected an API key in the environment variable NO_SUCH_KEY, got none/,
  ],
])("%s is refused", async (_, args, message) => {
  const { code, stdout, stderr } = await adastar(["audit", dir, ...args]);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, ""]);
});

test("--help lists every option", async () => {
  const { stdout } = await adastar(["audit", "--help"]);
  for (const flag of [
    "",
    "-model",
    "-samples",
    "-balanced",
    "-concurrency",
    "-max-tokens",
    "-timeout",
    "-key-env",
    "-log",
  ]) {
    expect(stdout).toContain(`--judge${flag} `);
  }
});
