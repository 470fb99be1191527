import { describe, expect, test } from "vitest";
import { createDisplay } from "../../src/cli/display/display.js";
import { timeLeft } from "../../src/cli/display/eta.js";
import { LiveDisplay } from "../../src/cli/display/live.js";
import { PlainDisplay } from "../../src/cli/display/plain.js";
import { advance, initialState } from "../../src/cli/display/state.js";
import { displayWidth } from "../../src/report/width.js";
import { base, evaluating, iteration, started, training, visiting, wholeRun } from "./events.js";
import { Terminal } from "./terminal.js";

/** A clock that each reading moves by a second, so that nothing is throttled. */
function steppingClock(): () => number {
  let now = 0;
  return () => (now += 1000);
}

function live(terminal: Terminal, colour = false): LiveDisplay {
  return new LiveDisplay(terminal, { colour, interval: 1, clock: steppingClock(), schedule: (write) => write() });
}

describe("live display", () => {
  test("redraws in place and keeps the permanent lines above", () => {
    const terminal = new Terminal(80);
    const display = live(terminal);
    for (const event of wholeRun.slice(0, 9)) display.listener(event);
    const screen = terminal.screen;
    expect(screen.slice(0, 7)).toEqual([
      "adastar on arithmetic: 4,000 observations, 500 for testing",
      "model starter (1.2M parameters), 2 iterations, seed 1",
      "run directory /tmp/run",
      "iter     test        m      α        FLOPs    |D₊|    loss  popped         time",
      "base   50.0 %",
      "   1   62.5 %      500  0.620   2.00 TFLOP     320  0.5000     192         30 s",
      "a remark",
    ]);
    expect(screen[7]).toBe("iteration 2/2 sampling · m 200 · 6,000 tokens/s");
    expect(screen[8]).toMatch(/^█{9}░{21} 100 of 320 correct$/);
    expect(screen[9]).toMatch(/^α 0\.62 · loss 0\.500 · 2\.00 TFLOP · \d+ s, about \d+ s left$/);
    expect(screen[10]).toBe("test accuracy ▅▆ 50.0 % → 62.5 %, best 62.5 %");
    expect(screen).toHaveLength(11);
    display.close();
    expect(terminal.screen).toEqual(screen.slice(0, 7));
  });

  test("shows each phase", () => {
    const terminal = new Terminal(80);
    const display = live(terminal);
    display.listener(started);
    display.listener(evaluating(0, 250));
    expect(terminal.screen[3]).toBe("base model testing · 50.0 % so far · 5,000 tokens/s");
    display.listener(base);
    display.listener(training(1, 20));
    expect(terminal.screen[5]).toBe("iteration 1/2 training · 3,000 tokens/s");
    expect(terminal.screen[6]).toBe(`${"█".repeat(15)}${"░".repeat(15)} step 20 of 40`);
    expect(terminal.screen[7]).toMatch(/^loss 0\.432 · /);
    display.close();
  });

  test("shows an evaluation that has no run around it", () => {
    const terminal = new Terminal(80);
    const display = live(terminal);
    display.listener(evaluating(0, 250));
    expect(terminal.screen.slice(0, 2)).toEqual([
      "testing · 50.0 % so far · 5,000 tokens/s",
      `${"█".repeat(15)}${"░".repeat(15)} 250 of 500`,
    ]);
    display.close();
    expect(terminal.screen).toEqual([]);
  });

  test.each([1, 2, 10, 24, 39])("fits a terminal of %i columns without wrapping", (columns) => {
    const terminal = new Terminal(columns);
    const display = live(terminal, true);
    for (const event of wholeRun.slice(1, 6)) display.listener(event);
    display.listener({ ...started, runDir: "r" } as typeof started);
    for (const event of [base, iteration(1), visiting(2, 100)]) display.listener(event);
    const lines = terminal.screen;
    for (const line of lines.slice(-4)) expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(1, columns - 1));
    display.close();
    // The permanent lines may wrap; no redrawn line does, and none is left.
    const permanent = terminal.screen.length;
    expect(permanent).toBeGreaterThan(3);
    expect(lines.length - permanent).toBe(4);
    expect(lines.slice(0, permanent)).toEqual(terminal.screen);
  });

  test("leaves no remains when the terminal is narrowed while it draws", () => {
    const terminal = new Terminal(100);
    const display = live(terminal);
    for (const event of wholeRun.slice(0, 5)) display.listener(event);
    // What a terminal does on narrowing: the rows it shows are wrapped anew.
    const narrowed = new Terminal(40);
    for (const row of terminal.screen) narrowed.write(`${row}\n`);
    terminal.columns = 40;
    terminal.raw = "";
    display.listener(training(1, 21));
    narrowed.write(terminal.raw);
    expect(narrowed.screen.filter((row) => row.includes("training"))).toHaveLength(1);
    expect(narrowed.screen.filter((row) => row.includes("of 40"))).toHaveLength(1);
    display.close();
  });

  test("redraws at most once an interval", () => {
    const terminal = new Terminal(80);
    let now = 0;
    const display = new LiveDisplay(terminal, {
      colour: false,
      interval: 100,
      clock: () => now,
      schedule: (write) => write(),
    });
    display.listener(started);
    now = 1000;
    display.listener(visiting(1, 1));
    const once = terminal.raw.length;
    now = 1099;
    display.listener(visiting(1, 2));
    expect(terminal.raw.length).toBe(once);
    now = 1100;
    display.listener(visiting(1, 3));
    expect(terminal.screen.join("\n")).toContain("3 of 320 correct");
    display.close();
  });

  test("colours only when asked to", () => {
    const styled = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`);
    for (const colour of [true, false]) {
      const terminal = new Terminal(80);
      const display = live(terminal, colour);
      for (const event of wholeRun) display.listener(event);
      expect(styled.test(terminal.raw)).toBe(colour);
    }
  });
});

describe("plain display", () => {
  function linesOf(clock: () => number, events = wholeRun): string[] {
    let text = "";
    const display = new PlainDisplay({ write: (more) => (text += more) }, { clock, interval: 10_000 });
    for (const event of events) display.listener(event);
    display.close();
    return text.split("\n");
  }

  test("one line for every finished step, and no escape code at all", () => {
    const lines = linesOf(() => 0);
    expect(lines).toEqual([
      "adastar on arithmetic: 4,000 observations, 500 for testing",
      "model starter (1.2M parameters), 2 iterations, seed 1",
      "run directory /tmp/run",
      "base model: test accuracy 50.0 %, 2.0 s",
      "iteration 1/2: m 500, α 0.620, popped 192, |D₊| 320, loss 0.5000, test accuracy 62.5 %, 2.00 TFLOP, 30 s",
      "a remark",
      "iteration 2/2: m 1,000, α 0.620, popped 384, |D₊| 320, loss 0.2500, test accuracy 75.0 %, 4.00 TFLOP, 30 s",
      "",
    ]);
    expect(lines.join("\n")).not.toContain(String.fromCharCode(27));
  });

  test("a run that is over is shown without its start", () => {
    expect(linesOf(() => 0, [base, iteration(2)])[1]).toMatch(/^iteration 2: m 1,000, /);
  });

  test("a line about the phase when ten seconds went by without any", () => {
    let now = 0;
    const clock = () => (now += 4000);
    const lines = linesOf(clock, [started, visiting(1, 10), visiting(1, 20), visiting(1, 30), training(1, 1)]);
    expect(lines.slice(3)).toEqual([
      "iteration 1/2 sampling: 30 of 320 correct, m 60, 6,000 tokens/s, 12 s, roughly 5 min 33 s left",
      "",
    ]);
  });
});

test("a display redraws only on a terminal that can", () => {
  const none = { write: () => true };
  expect(createDisplay(none, {})).toBeInstanceOf(PlainDisplay);
  expect(createDisplay({ ...none, isTTY: true }, { TERM: "dumb" })).toBeInstanceOf(PlainDisplay);
  const display = createDisplay({ ...none, isTTY: true, columns: 80 }, { TERM: "xterm" });
  expect(display).toBeInstanceOf(LiveDisplay);
  display.close();
});

describe("time left", () => {
  type Event = Parameters<typeof advance>[1];
  /** Each event with the seconds on the clock when it arrives; then the clock at the reading. */
  const at = (events: readonly (readonly [seconds: number, event: Event])[], seconds: number) =>
    timeLeft(
      events.reduce((state, [when, event]) => advance(state, event, 1000 * when), initialState(0)),
      1000 * seconds,
    );
  const inOrder = (...events: readonly Event[]) => events.map((event) => [0, event] as const);

  test("is not guessed before there is a pace to judge by", () => {
    expect(at(inOrder(started, base), 5)).toBeNull();
    expect(at([...inOrder(started, base), [0, visiting(1, 1)]], 5)).toBeNull();
  });

  test("is rough in the first iteration: training is taken to last as long as sampling, testing as for the base model", () => {
    // Half of the samples after 10 s: 10 s more, 20 s of training, 2 s of testing; the second iteration as the first.
    expect(at([...inOrder(started, base), [0, visiting(1, 160)]], 10)).toEqual({ seconds: 32 + 42, rough: true });
    const trained = [...inOrder(started, base, visiting(1, 160)), [20, training(1, 10)]] as const;
    // A quarter of the steps after 4 s: 12 s more.
    expect(at(trained, 24)).toEqual({ seconds: 12 + 2 + 20 + 16 + 2, rough: true });
  });

  test("is what the last iteration took, less what this one has taken", () => {
    expect(at(inOrder(started, base, iteration(1)), 0)).toEqual({ seconds: 30, rough: false });
    expect(at(inOrder(started, base, iteration(1), visiting(2, 0)), 12)?.seconds).toBe(18);
    expect(at(inOrder(started, base, iteration(1), iteration(2)), 0)?.seconds).toBe(0);
  });

  test("follows the pace of a phase that takes longer than it did", () => {
    // 80 of 320 after 50 s: 150 s more, then training and testing as before.
    expect(at([...inOrder(started, base, iteration(1)), [0, visiting(2, 80)]], 50)?.seconds).toBe(150 + 8 + 2);
    // Not even the pace is known, and the last iteration's time is over: what is left of the other phases.
    expect(at([...inOrder(started, base, iteration(1)), [0, visiting(2, 1)]], 99)?.seconds).toBe(8 + 2);
  });

  test("grows with the step schedule; the test set does not", () => {
    const longer = { ...started, iterations: 4 } as typeof started;
    const second = { ...iteration(2), record: { ...iteration(2).record, steps: 60 } };
    expect(at(inOrder(longer, base, iteration(1), second), 0)?.seconds).toBeCloseTo(28 * 1.5 + 2 + 28 * 1.5 ** 2 + 2);
  });
});
