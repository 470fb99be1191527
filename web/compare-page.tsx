import type { CompareView } from "../src/dashboard/api-types.js";
import type { LineFigure } from "../src/report/charts/figure.js";
import { formatFlops, formatPercent } from "../src/report/format.js";
import { Chart } from "./chart.js";
import { useAsked } from "./data.js";
import { DataTable, Message } from "./parts.js";

export function ComparePage({ ids }: { ids: readonly string[] }) {
  const query = new URLSearchParams(ids.map((id) => ["run", id]));
  const { data, error } = useAsked<CompareView>(ids.length === 0 ? null : `/api/compare?${query}`);
  return (
    <>
      <div class="head">
        <h1>Compare {ids.length} runs</h1>
        {data !== null && (
          <p class="muted">
            budget {formatFlops(data.budget)} (moved between {formatPercent(data.budgetRange[0], 0)} and{" "}
            {formatPercent(data.budgetRange[1], 0)} of it) · target {formatPercent(data.target)} · reference{" "}
            {data.reference}
          </p>
        )}
      </div>
      {ids.length === 0 && (
        <Message>
          Choose runs in the <a href="/">list of runs</a>, then press Compare.
        </Message>
      )}
      {error !== null && <Message kind="error">{error}</Message>}
      {data === null && error === null && ids.length > 0 && <Message>Comparing …</Message>}
      {data?.warnings.map((warning) => (
        <Message key={warning}>{warning}</Message>
      ))}
      {data !== null && (
        <>
          <Chart figure={curvesFigure(data)} height={360} />
          {data.tables.map(({ title, table }) => (
            <section key={title} class="card">
              <h2>{title}</h2>
              <DataTable table={table} caption={title} />
            </section>
          ))}
        </>
      )}
    </>
  );
}

function curvesFigure({ curves }: CompareView): LineFigure {
  return {
    kind: "lines",
    title: "Learning curves",
    x: { label: "Training FLOPs", format: formatFlops, from: 0 },
    y: { label: "Test accuracy, 95 % interval over seeds", format: (value) => formatPercent(value, 0) },
    series: curves.map(({ method, seeds, points }) => ({
      name: `${method} (${seeds === 1 ? "1 seed" : `${seeds} seeds`})`,
      points: points.map(({ flops, mean, low, high }) => ({ x: flops, y: mean, low, high })),
      steps: true,
    })),
  };
}
