import type { RunDetail } from "../src/dashboard/api-types.js";
import { formatCount, formatFixed, formatRate } from "../src/report/format.js";
import type { Progress } from "../src/run/directory/progress.js";

/** What the run is doing now, and the last outputs with their verdicts. */
export function LivePanel({ detail: { progress } }: { detail: RunDetail }) {
  if (progress === null) return null;
  const { text, done, total } = phaseOf(progress);
  return (
    <section class="card live" aria-label="Now">
      <p>
        <b>{progress.iteration === 0 ? "Base model" : `Iteration ${progress.iteration}`}</b> · {text}
      </p>
      {total > 0 && <progress max={total} value={Math.min(done, total)} aria-label={`Progress of ${progress.phase}`} />}
      <ol class="outputs">
        {progress.outputs.map((output) => (
          <li key={`${output.split} ${output.iteration} ${output.observation} ${output.text}`}>
            <Verdict correct={output.correct} /> <code>{output.id}</code>
            <span class="muted"> gold {output.gold}</span>
            <pre>{output.text.trim().slice(0, 300)}</pre>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function Verdict({ correct }: { correct: boolean }) {
  return <span class={correct ? "verdict right" : "verdict wrong"}>{correct ? "✓ correct" : "✕ wrong"}</span>;
}

function phaseOf({ phase, visiting, training, evaluating }: Progress) {
  const pace = (tokens: number, seconds: number) => (seconds > 0 ? `, ${formatRate(tokens / seconds)} tokens/s` : "");
  if (phase === "visiting" && visiting !== null) {
    const { visited, correct, target, tokens, seconds } = visiting;
    const of = target === null ? "" : ` of ${formatCount(target)}`;
    const text = `sampling: ${formatCount(visited)} visited, ${formatCount(correct)}${of} right${pace(tokens, seconds)}`;
    return { text, done: correct, total: target ?? 0 };
  }
  if (phase === "training" && training !== null) {
    const { step, steps, loss, tokens, seconds } = training;
    const text = `training: step ${step} of ${steps}, loss ${formatFixed(loss, 3)}${pace(tokens, seconds)}`;
    return { text, done: step, total: steps };
  }
  if (phase === "evaluating" && evaluating !== null) {
    const { done, total, correct, tokens, seconds } = evaluating;
    return { text: `testing: ${done} of ${total}, ${correct} right${pace(tokens, seconds)}`, done, total };
  }
  return { text: phase, done: 0, total: 0 };
}
