import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { UserError } from "../../../src/errors.js";
import type { Verifier } from "../../../src/tasks/task.js";
import { isVerifierModule, openCustomVerifier } from "../../../src/tasks/verifiers/user-module.js";
import { verifyAll } from "../../../src/tasks/verifiers/verify-all.js";

const root = mkdtempSync(join(tmpdir(), "adastar-verifier-"));
const opened: Verifier[] = [];
afterAll(async () => {
  for (const verifier of opened) await verifier.module?.close();
  rmSync(root, { recursive: true });
});

let count = 0;
function written(source: string, extension = "mjs"): string {
  const path = join(root, `verifier-${count++}.${extension}`);
  writeFileSync(path, source);
  return path;
}

function verifier(source: string, timeout?: number): Verifier {
  const made = openCustomVerifier(written(source), { timeout });
  opened.push(made);
  return made;
}

const seven = { answer: "7" };
const correct = { strict: "correct", lenient: "correct" };
const wrong = { strict: "wrong", lenient: "wrong" };

describe("what verify may return", () => {
  const echo = verifier("export const verify = (output) => JSON.parse(output);");
  it.each<[string, object]>([
    ["true", { ...correct, extracted: null }],
    ["false", { ...wrong, extracted: null }],
    ['" 7 "', { ...correct, extracted: "7" }],
    ['"8"', { ...wrong, extracted: "8" }],
    ["null", { strict: "none", lenient: "none", extracted: null }],
    ['{"strict":"correct"}', { ...correct, extracted: null }],
    ['{"strict":"none","lenient":"correct","extracted":"7"}', { strict: "none", lenient: "correct", extracted: "7" }],
  ])("%s", (output, verdict) => expect(echo.verify(output, seven)).toEqual(verdict));

  it.each(["7", "[]", "{}", '{"strict":"right"}', '{"correct":true}', '{"strict":"correct","extracted":7}'])(
    "%s is a failure, and counts as wrong",
    (output) => {
      const verdict = echo.verify(output, seven);
      expect(verdict).toMatchObject({ ...wrong, extracted: null });
      expect(verdict.failure).toMatch(/^verify returned .*; expected true, false, a text, null or \{strict/);
    },
  );
});

describe("how verify may answer", () => {
  it("late", () => {
    const late = verifier(
      "export const verify = async (o) => new Promise((done) => setTimeout(done, 20, o === 'yes'));",
    );
    expect(late.verify("yes", seven)).toMatchObject(correct);
    expect(late.verify("no", seven)).toMatchObject(wrong);
  });

  it("knowing all that is known of the observation", () => {
    const curious = verifier("export const verify = (o, seen) => JSON.stringify(seen);");
    const observation = { id: "a", question: "3 + 4?", answer: "7", options: [{ label: "A", text: "7" }] };
    expect(JSON.parse(curious.verify("", observation).extracted ?? "")).toEqual(observation);
  });

  it.each([
    ["cjs", "exports.verify = (output) => output === 'a';"],
    ["cjs", "module.exports = { verify(output) { return output === 'a'; } };"],
    ["js", "export function verify(output) { return output === 'a'; }"],
    ["js", "export function judge(output) { return output === 'a'; }"],
  ])("from a .%s file: %s", async (extension, source) => {
    const made = openCustomVerifier(written(source, extension));
    expect(made.verify("a", seven)).toMatchObject(correct);
    expect(made.verify("b", seven)).toMatchObject(wrong);
    await made.module?.close();
  });

  it("with the gold answer in a form of its own", () => {
    const own = verifier(`
      export const verify = (output, { answer }) => output === answer;
      export const canonical = (answer, options) => {
        if (answer === "?") throw new RangeError("no number");
        return answer === "" ? 3 : answer.toLowerCase() + (options?.length ?? "");
      };`);
    expect(own.canonical(" ABC ")).toBe("abc");
    expect(own.canonical("ABC", [{ label: "A", text: "x" }])).toBe("abc1");
    expect(() => own.canonical("?")).toThrow(UserError);
    expect(() => own.canonical("?")).toThrow(/got "\?": RangeError: no number/);
    expect(() => own.canonical("")).toThrow(/canonical returned 3, not a text/);
    expect(verifier("export const verify = () => true;").canonical(" as it is ")).toBe("as it is");
  });
});

describe("whatever the module does, the row is judged and the next ones are not hurt", () => {
  const broken = verifier(
    `let calls = 0;
     export async function verify(output) {
       calls++;
       if (output === "throw") throw new TypeError("not a number");
       if (output === "throw nothing") throw undefined;
       if (output === "loop") for (;;);
       if (output === "never") await new Promise(() => {});
       if (output === "exit") process.exit(3);
       if (output === "elsewhere") { setTimeout(() => { throw new Error("in a timer"); }); await new Promise(() => {}); }
       if (output === "function") return () => true;
       if (output === "print") console.log("to standard output");
       if (output === "calls") return String(calls);
       return true;
     }`,
    0.6,
  );
  it.each([
    ["throw", /^TypeError: not a number$/],
    ["throw nothing", /^threw undefined$/],
    ["loop", /^verify gave no answer within 0.6 s$/],
    ["never", /^verify gave no answer within 0.6 s$/],
    ["exit", /process\.exit/],
    ["elsewhere", /^Error: in a timer$/],
    ["function", /could not be cloned/],
  ])("%s", (output, failure) => {
    const verdict = broken.verify(output, seven);
    expect(verdict).toMatchObject({ ...wrong, extracted: null });
    expect(verdict.failure).toMatch(failure);
    expect(broken.verify("fine", seven)).toMatchObject(correct);
  });

  it("only a time-out costs the module its memory", () => {
    const before = Number(broken.verify("calls", seven).extracted);
    broken.verify("throw", seven);
    expect(Number(broken.verify("calls", seven).extracted)).toBe(before + 2);
    broken.verify("loop", seven);
    expect(broken.verify("calls", seven).extracted).toBe("1");
  });

  it("what it prints goes to standard error, out of the way of results", async () => {
    const written: Record<string, string> = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      vi.spyOn(process[name], "write").mockImplementation((text) => {
        written[name] += String(text);
        return true;
      });
    }
    try {
      expect(broken.verify("print", seven)).toMatchObject(correct);
      await vi.waitFor(() => expect(written["stderr"]).toBe("to standard output\n"));
      expect(written["stdout"]).toBe("");
    } finally {
      vi.restoreAllMocks();
    }
  });

  it("many in a row come back in order, and others get their turn in between", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const outputs = Array.from({ length: 2000 }, (_, i) => (i % 600 === 599 ? "loop" : i % 3 === 0 ? "throw" : "fine"));
    const verdicts = await verifyAll(
      broken,
      outputs.map((output) => ({ output, observation: seven })),
    );
    clearInterval(timer);
    expect(verdicts.map(({ strict }) => strict)).toEqual(
      outputs.map((output) => (output === "fine" ? "correct" : "wrong")),
    );
    // Each of the three endless outputs uses up a turn, and timers run between two of them.
    expect(turns).toBeGreaterThan(1);
  });
});

describe("modules that cannot be used", () => {
  it.each<[string, () => string, RegExp]>([
    ["no file", () => join(root, "nowhere.mjs"), /expected a readable verifier module, got .*nowhere\.mjs/],
    ["no JavaScript", () => written("export const verify = ("), /expected a verifier that loads, got .*SyntaxError/],
    ["one that throws", () => written("throw new Error('no licence')"), /Error: no licence/],
    ["one without verify", () => written("export const check = () => true;"), /function verify .*got check/],
    ["one whose verify is none", () => written("export const verify = 1;"), /function verify .*got no function/],
  ])("%s", (_, path, message) => {
    const open = () => openCustomVerifier(path());
    expect(open).toThrow(UserError);
    expect(open).toThrow(message);
  });

  it("one that was changed since is not taken up again", () => {
    const path = written("export const verify = () => { for (;;); };");
    const made = openCustomVerifier(path, { timeout: 0.1 });
    expect(made.verify("", seven).failure).toMatch(/no answer/);
    writeFileSync(path, "export const verify = () => true;");
    expect(() => made.verify("", seven)).toThrow(/expected the verifier .* as it was when it was loaded/);
  });
});

it("a fingerprint is of the content", async () => {
  const same = [written("export const verify = () => true;"), written("export const verify = () => true;")];
  const prints = same.map((path) => verifierOf(path).module?.fingerprint);
  expect(prints[0]).toBe(prints[1]);
  expect(verifierOf(written("export const verify = () => false;")).module?.fingerprint).not.toBe(prints[0]);

  function verifierOf(path: string): Verifier {
    const made = openCustomVerifier(path);
    opened.push(made);
    return made;
  }
});

it("paths are told from kinds by their ending", () => {
  for (const path of ["a.js", "./b.mjs", "/c/d.cjs"]) expect(isVerifierModule(path)).toBe(true);
  for (const kind of ["number", "choice", "a.ts", "", null, undefined]) expect(isVerifierModule(kind)).toBe(false);
});
