import { useEffect, useMemo, useState } from "preact/hooks";
import type { Frequencies, QueuePicture, RunDetail } from "../src/dashboard/api-types.js";
import { frequencyFigure, queueFigure, visitFigure } from "../src/report/charts/run-figures.js";
import { Chart } from "./chart.js";
import { useAsked } from "./data.js";
import { Message } from "./parts.js";
import { go, withQuery } from "./url.js";

/** Milliseconds that each iteration is shown while it plays. */
const FRAME = 500;

export function QueueTab({ detail, query, url }: { detail: RunDetail; query: string; url: URL }) {
  const iterations = detail.records.length;
  const stated = Number(url.searchParams.get("iteration") ?? iterations);
  const iteration = Math.min(iterations, Math.max(1, Number.isInteger(stated) ? stated : iterations));
  const frequencies = useFrequencies(query, iterations);
  if (iterations === 0) return <Message>The queue is shown once the first iteration is finished.</Message>;
  return (
    <>
      <Scrubber iteration={iteration} iterations={iterations} />
      <div class="charts">
        <div class="wide">
          <Queue query={query} iteration={iteration} />
        </div>
        {frequencies.error !== null && <Message kind="error">{frequencies.error}</Message>}
        {frequencies.data !== null && (
          <>
            {frequencies.data.done < frequencies.data.total && (
              <Message>
                {frequencies.data.done} of {frequencies.data.total} iterations read …
              </Message>
            )}
            <Chart figure={frequencyFigure(frequencies.data)} height={260} />
            <Chart figure={visitFigure(frequencies.data.visits)} height={260} />
          </>
        )}
      </div>
    </>
  );
}

/** Asks again until the server has read all iterations. */
function useFrequencies(query: string, iterations: number) {
  const [round, setRound] = useState(0);
  const asked = useAsked<Frequencies>(iterations === 0 ? null : `/api/frequencies?${query}`, round + iterations * 1e6);
  const { data } = asked;
  useEffect(() => {
    if (data === null || data.done >= data.total) return;
    const timer = setTimeout(() => setRound((before) => before + 1), 300);
    return () => clearTimeout(timer);
  }, [data]);
  return asked;
}

function Queue({ query, iteration }: { query: string; iteration: number }) {
  const { data, error } = useAsked<QueuePicture>(`/api/queue?${query}&iteration=${iteration}`);
  const figure = useMemo(() => (data === null ? null : queueFigure(data)), [data]);
  if (error !== null) return <Message kind="error">{error}</Message>;
  return figure === null ? <Message>Reading the queue …</Message> : <Chart figure={figure} height={380} />;
}

function Scrubber({ iteration, iterations }: { iteration: number; iterations: number }) {
  const [playing, setPlaying] = useState(false);
  const show = (value: number) => go(withQuery({ iteration: String(value) }), true);
  useEffect(() => {
    if (!playing) return;
    if (iteration >= iterations) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => go(withQuery({ iteration: String(iteration + 1) }), true), FRAME);
    return () => clearTimeout(timer);
  }, [playing, iteration, iterations]);
  const play = () => {
    if (!playing && iteration >= iterations) show(1);
    setPlaying(!playing);
  };
  return (
    <div class="scrubber">
      <button type="button" class="primary" onClick={play}>
        {playing ? "Pause" : "Play"}
      </button>
      <label>
        <span>
          After iteration <b>{iteration}</b> of {iterations}
        </span>
        <input
          type="range"
          min={1}
          max={iterations}
          value={iteration}
          onInput={({ currentTarget }) => show(Number(currentTarget.value))}
        />
      </label>
    </div>
  );
}
