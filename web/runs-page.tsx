import { useState } from "preact/hooks";
import type { RunList, RunRow, UnreadableRun } from "../src/dashboard/api-types.js";
import { formatFlops, formatPercent, formatPoints } from "../src/report/format.js";
import { useAsked, useChanges } from "./data.js";
import { Message, Sparkline, Status } from "./parts.js";
import { go, runLink, withQuery } from "./url.js";

const PAGE = 100;

export function RunsPage({ url }: { url: URL }) {
  const changes = useChanges("");
  const from = Number(url.searchParams.get("from") ?? 0);
  const { data, error } = useAsked<RunList>(`/api/runs?from=${from}&count=${PAGE}`, changes);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const search = url.searchParams.get("search") ?? "";
  if (data === null)
    return error === null ? <Message>Reading the runs …</Message> : <Message kind="error">{error}</Message>;
  const rows = data.rows.filter((row) => textOf(row).includes(search.toLowerCase()));
  const choose = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <>
      <div class="head">
        <h1>Runs</h1>
        <p class="muted">
          {data.total} in <code>{data.root}</code>
        </p>
        <label class="search">
          <span class="visually-hidden">Filter runs</span>
          <input
            type="search"
            placeholder="Filter by name, method, task …"
            value={search}
            onInput={({ currentTarget }) => go(withQuery({ search: currentTarget.value || null }), true)}
          />
        </label>
        <button
          type="button"
          class="primary"
          disabled={chosen.size === 0}
          onClick={() => go(`/compare?${new URLSearchParams([...chosen].map((id) => ["run", id]))}`)}
        >
          Compare{chosen.size > 0 ? ` ${chosen.size}` : ""}
        </button>
      </div>
      {error !== null && <Message kind="error">{error}</Message>}
      {data.total === 0 ? (
        <Message>
          There is no run here yet. Start one, and it is shown at once: <code>npx adastar run</code>
        </Message>
      ) : (
        <RunTable rows={rows} chosen={chosen} choose={choose} />
      )}
      {data.total > PAGE && (
        <nav class="pages" aria-label="Pages of runs">
          {from > 0 && <a href={withQuery({ from: String(Math.max(0, from - PAGE)) })}>Newer</a>}
          {from + PAGE < data.total && <a href={withQuery({ from: String(from + PAGE) })}>Older</a>}
        </nav>
      )}
    </>
  );
}

function textOf(row: RunRow | UnreadableRun): string {
  const more = "reason" in row ? [] : [row.method, row.task, row.model ?? "", row.status.kind];
  return [row.id, ...more].join(" ").toLowerCase();
}

interface Choosing {
  readonly chosen: ReadonlySet<string>;
  readonly choose: (id: string) => void;
}

function RunTable({ rows, ...choosing }: { rows: RunList["rows"] } & Choosing) {
  return (
    <section class="card scroll" aria-label="Table of runs" tabIndex={0}>
      <table class="runs">
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">Compare</span>
            </th>
            <th scope="col">Run</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">
              Best accuracy
            </th>
            <th scope="col" class="number">
              Gain, points
            </th>
            <th scope="col">Curve</th>
            <th scope="col" class="number">
              Iterations
            </th>
            <th scope="col" class="number">
              Training FLOPs
            </th>
            <th scope="col">Method</th>
            <th scope="col">Task</th>
            <th scope="col">Model</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) =>
            "reason" in row ? (
              <tr key={row.id}>
                <td />
                <th scope="row">{row.id}</th>
                <td colSpan={9} class="unreadable">
                  Cannot be read: {row.reason}
                </td>
              </tr>
            ) : (
              <Row key={row.id} row={row} {...choosing} />
            ),
          )}
        </tbody>
      </table>
    </section>
  );
}

function Row({ row, chosen, choose }: { row: RunRow } & Choosing) {
  const { id, baseAccuracy, bestAccuracy, interval } = row;
  return (
    <tr>
      <td>
        <input
          type="checkbox"
          aria-label={`Compare ${row.name}`}
          checked={chosen.has(id)}
          onChange={() => choose(id)}
        />
      </td>
      <th scope="row">
        <a href={runLink(id)}>{id === "." ? row.name : id}</a>
      </th>
      <td>
        <Status status={row.status} />
      </td>
      <td class="number">
        {baseAccuracy === null ? "–" : formatPercent(bestAccuracy)}
        {interval !== null && (
          <small>
            {formatPercent(interval.low, 0)} – {formatPercent(interval.high, 0)}
          </small>
        )}
      </td>
      <td class="number">{baseAccuracy === null ? "–" : formatPoints(bestAccuracy - baseAccuracy)}</td>
      <td>
        <Sparkline values={row.accuracies} />
      </td>
      <td class="number">
        {row.iterations} / {row.planned}
      </td>
      <td class="number">{formatFlops(row.flops.total)}</td>
      <td>{row.method}</td>
      <td>{row.task}</td>
      <td>{row.model ?? "–"}</td>
    </tr>
  );
}
