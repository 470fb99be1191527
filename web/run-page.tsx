import type { RunDetail, StepPage } from "../src/dashboard/api-types.js";
import { type Against, accuracyFigure, iterationFigures, stepFigures } from "../src/report/charts/run-figures.js";
import { formatCount, formatDuration, formatFlops, formatPercent, formatPoints } from "../src/report/format.js";
import { Chart } from "./chart.js";
import { useAsked, useChanges } from "./data.js";
import { LivePanel } from "./live-panel.js";
import { ObservationsTab } from "./observations-tab.js";
import { Choice, DataTable, Message, Status } from "./parts.js";
import { QueueTab } from "./queue-tab.js";
import { go, withQuery } from "./url.js";

const TABS = ["overview", "queue", "observations", "settings"] as const;

export function RunPage({ id, url }: { id: string; url: URL }) {
  const changes = useChanges(id);
  const query = new URLSearchParams({ run: id }).toString();
  const { data, error } = useAsked<RunDetail>(`/api/run?${query}`, changes);
  const tab = TABS.find((one) => one === url.searchParams.get("tab")) ?? "overview";
  if (data === null)
    return error === null ? <Message>Reading the run …</Message> : <Message kind="error">{error}</Message>;
  const { row } = data;
  return (
    <>
      <div class="head">
        <h1>{row.name}</h1>
        <Status status={row.status} />
        <p class="muted">
          {row.method} · {row.task} · {row.model ?? "model not opened yet"} · seed {row.seed}
        </p>
      </div>
      {row.status.kind === "failed" && <Message kind="error">The last session failed: {row.status.error}</Message>}
      {error !== null && <Message kind="error">{error}</Message>}
      <Tiles detail={data} />
      {row.status.kind === "running" && <LivePanel detail={data} />}
      <nav class="tabs" aria-label="Parts of the run">
        {TABS.map((one) => (
          <a key={one} href={`/run?${query}&tab=${one}`} aria-current={one === tab ? "page" : undefined}>
            {one}
          </a>
        ))}
      </nav>
      {tab === "overview" && <Overview detail={data} query={query} changes={changes} url={url} />}
      {tab === "queue" && <QueueTab detail={data} query={query} url={url} />}
      {tab === "observations" && <ObservationsTab query={query} url={url} changes={data.records.length} />}
      {tab === "settings" && <Settings detail={data} />}
    </>
  );
}

function Tiles({ detail: { row, secondsLeft } }: { detail: RunDetail }) {
  const { baseAccuracy, bestAccuracy, interval } = row;
  const tiles: (readonly [label: string, value: string, note: string])[] = [
    [
      "Best test accuracy",
      baseAccuracy === null ? "–" : formatPercent(bestAccuracy),
      interval === null ? "" : `95 %: ${formatPercent(interval.low)} to ${formatPercent(interval.high)}`,
    ],
    [
      "Gained, points",
      baseAccuracy === null ? "–" : formatPoints(bestAccuracy - baseAccuracy),
      baseAccuracy === null ? "" : `base model ${formatPercent(baseAccuracy)}`,
    ],
    [
      "Iterations",
      `${row.iterations} / ${row.planned}`,
      row.bestIteration > 0 ? `best after ${row.bestIteration}` : "",
    ],
    [
      "Training FLOPs",
      formatFlops(row.flops.total),
      row.flops.total > 0 ? `${formatPercent(row.flops.sampling / row.flops.total, 0)} of it sampling` : "",
    ],
    ["Time", formatDuration(row.seconds), secondsLeft === null ? "" : `about ${formatDuration(secondsLeft)} left`],
    [
      "Observations",
      row.observations === null ? "–" : formatCount(row.observations),
      row.everVisited === undefined ? "" : `${formatCount(row.everVisited)} visited`,
    ],
  ];
  return (
    <dl class="tiles">
      {tiles.map(([label, value, note]) => (
        <div key={label} class="card">
          <dt>{label}</dt>
          <dd>
            {value}
            <small>{note}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface OverviewProps {
  readonly detail: RunDetail;
  readonly query: string;
  readonly changes: number;
  readonly url: URL;
}

function Overview({ detail, query, changes, url }: OverviewProps) {
  const steps = useAsked<StepPage>(`/api/steps?${query}`, changes);
  const stated = url.searchParams.get("against");
  const against: Against = stated === "iteration" || stated === "time" ? stated : "flops";
  if (detail.base === null) {
    return <Message>No test is done yet. The learning curve begins once the base model is tested.</Message>;
  }
  return (
    <>
      <Choice
        label="Test accuracy against"
        options={[
          ["flops", "by FLOPs"],
          ["iteration", "by iteration"],
          ["time", "by time"],
        ]}
        value={against}
        onChoose={(value) => go(withQuery({ against: value }), true)}
      />
      <div class="charts">
        <div class="wide">
          <Chart figure={accuracyFigure(detail.records, detail.base, detail.intervals, against)} height={300} />
        </div>
        {detail.records.length > 0 &&
          iterationFigures(detail.records).map((figure) => <Chart key={figure.title} figure={figure} />)}
        {steps.data !== null &&
          steps.data.bins.length > 0 &&
          stepFigures(steps.data.bins).map((figure) => <Chart key={figure.title} figure={figure} />)}
      </div>
      {steps.error !== null && <Message kind="error">{steps.error}</Message>}
    </>
  );
}

function Settings({ detail: { settings } }: { detail: RunDetail }) {
  const rows = Object.entries(settings).map(([key, value]) => [key, value === null ? "–" : JSON.stringify(value)]);
  return (
    <div class="card">
      <DataTable
        table={{ columns: [{ header: "Setting" }, { header: "Value" }], rows }}
        caption="Settings of the run"
      />
    </div>
  );
}
