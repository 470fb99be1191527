import { useEffect, useState } from "preact/hooks";
import {
  OBSERVATION_FILTERS,
  type ObservationHistory,
  type ObservationPage,
  type ObservationSort,
  type SampleView,
} from "../src/dashboard/api-types.js";
import { formatCount, formatPercent } from "../src/report/format.js";
import { useAsked } from "./data.js";
import { Verdict } from "./live-panel.js";
import { Message } from "./parts.js";
import { go, withQuery } from "./url.js";

const PAGE = 50;
const COLUMNS: readonly (readonly [sort: ObservationSort, header: string])[] = [
  ["index", "Observation"],
  ["visits", "Visits"],
  ["draws", "Draws"],
  ["rate", "Right"],
  ["trained", "Trained on"],
  ["last", "Last visit"],
];

export function ObservationsTab({ query, url, changes }: { query: string; url: URL; changes: number }) {
  const [round, setRound] = useState(0);
  const value = (name: string) => url.searchParams.get(name) ?? "";
  const from = Number(value("from")) || 0;
  const asked = new URLSearchParams({ from: String(from), count: String(PAGE) });
  for (const name of ["search", "filter", "sort", "order"]) if (value(name) !== "") asked.set(name, value(name));
  const { data, error } = useAsked<ObservationPage>(`/api/observations?${query}&${asked}`, round + changes * 1e6);
  useEffect(() => {
    if (data === null || data.done >= data.total) return;
    const timer = setTimeout(() => setRound((before) => before + 1), 500);
    return () => clearTimeout(timer);
  }, [data]);
  const observation = url.searchParams.get("observation");
  return (
    <>
      <div class="head">
        <label class="search">
          <span class="visually-hidden">Search observations</span>
          <input
            type="search"
            placeholder="Search by id or index …"
            value={value("search")}
            onInput={({ currentTarget }) => go(withQuery({ search: currentTarget.value || null, from: null }), true)}
          />
        </label>
        <label>
          <span class="visually-hidden">Show</span>
          <select
            value={value("filter")}
            onChange={({ currentTarget }) => go(withQuery({ filter: currentTarget.value || null, from: null }), true)}
          >
            <option value="">all observations</option>
            {OBSERVATION_FILTERS.map((filter) => (
              <option key={filter}>{filter}</option>
            ))}
          </select>
        </label>
      </div>
      {error !== null && <Message kind="error">{error}</Message>}
      {data === null && error === null && <Message>Reading the logs …</Message>}
      {data !== null && (
        <div class={observation === null ? "" : "split"}>
          <List page={data} url={url} from={from} />
          {observation !== null && <History query={query} observation={observation} />}
        </div>
      )}
    </>
  );
}

function List({ page, url, from }: { page: ObservationPage; url: URL; from: number }) {
  const sort = url.searchParams.get("sort") ?? "index";
  const descending = url.searchParams.get("order") === "descending";
  const sortBy = (column: ObservationSort) =>
    withQuery({ sort: column, order: column === sort && !descending ? "descending" : null, from: null });
  return (
    <section class="card scroll" aria-label="Observations" tabIndex={0}>
      <table>
        <caption>
          {formatCount(page.total)} observations{from > 0 ? `, from ${formatCount(from + 1)}` : ""}
        </caption>
        <thead>
          <tr>
            {COLUMNS.map(([column, header]) => (
              <th
                key={column}
                scope="col"
                class={column === "index" ? "" : "number"}
                aria-sort={column === sort ? (descending ? "descending" : "ascending") : undefined}
              >
                <a href={sortBy(column)}>
                  {header}
                  {column === sort ? (descending ? " ↓" : " ↑") : ""}
                </a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {page.rows.map((row) => (
            <tr key={row.index}>
              <th scope="row">
                <a href={withQuery({ observation: String(row.index) })}>{row.id}</a>
              </th>
              <td class="number">{row.visits}</td>
              <td class="number">{row.draws}</td>
              <td class="number">{row.draws === 0 ? "–" : formatPercent(row.correct / row.draws, 0)}</td>
              <td class="number">{row.trained}</td>
              <td class="number">{row.last === 0 ? "–" : row.last}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {page.rows.length === 0 && <Message>No observation fits. Clear the search or choose another filter.</Message>}
      <nav class="pages" aria-label="Pages of observations">
        {from > 0 && <a href={withQuery({ from: String(Math.max(0, from - PAGE)) })}>Previous</a>}
        {from + PAGE < page.total && <a href={withQuery({ from: String(from + PAGE) })}>Next</a>}
      </nav>
    </section>
  );
}

function History({ query, observation }: { query: string; observation: string }) {
  const [whole, setWhole] = useState(false);
  const path = `/api/observation?${query}&observation=${encodeURIComponent(observation)}${whole ? "&whole" : ""}`;
  const { data, error } = useAsked<ObservationHistory>(path);
  return (
    <section class="card history" aria-label={`History of observation ${observation}`}>
      <header>
        <h2>Observation {observation}</h2>
        <a href={withQuery({ observation: null })}>Close</a>
      </header>
      {error !== null && <Message kind="error">{error}</Message>}
      {data === null && error === null && <Message>Reading its history …</Message>}
      {data?.iterations.toReversed().map((iteration) => (
        <section key={iteration.iteration}>
          <h3>Iteration {iteration.iteration}</h3>
          <p class="muted">{whyText(iteration)}</p>
          {iteration.samples.map((sample) => (
            <Sample key={`${sample.attempt} ${sample.hinted}`} sample={sample} showAll={() => setWhole(true)} />
          ))}
        </section>
      ))}
    </section>
  );
}

function Sample({ sample, showAll }: { sample: SampleView; showAll: () => void }) {
  const { attempt, hinted, correct, extracted, gold, strict, lenient, wrongStep, failure, text, textLength } = sample;
  return (
    <div class="sample">
      <p>
        <Verdict correct={correct} /> try {attempt}
        {hinted && " with a hint"} · answer <b>{extracted ?? "none"}</b>, gold <b>{gold}</b>
        {strict !== lenient && ` · strict ${strict}, lenient ${lenient}`}
        {typeof wrongStep === "number" && ` · step ${wrongStep + 1} is wrong`}
        {failure !== undefined && ` · verifier failed: ${failure}`}
      </p>
      <pre>{text.trim()}</pre>
      {textLength > text.length && (
        <button type="button" onClick={showAll}>
          Show all {formatCount(textLength)} characters
        </button>
      )}
    </div>
  );
}

const OUTCOMES: Readonly<Record<string, string>> = {
  "not reached": "The visit ended before it.",
  speculated: "It was drawn for along with others and not needed.",
  updated: "Its statistics were updated.",
  "held back": "The curriculum's gate kept its old statistics, so it comes early again.",
  "under way": "The iteration is not finished.",
};

/** Why it came when it did. */
function whyText({ place, key, visited, popped, outcome }: ObservationHistory["iterations"][number]): string {
  const where = place === null ? "" : `Place ${formatCount(place)} in the order`;
  const why =
    key === null
      ? ""
      : key.drawn === 0
        ? ": never updated before"
        : `: last updated in iteration ${key.lastSampled}, then right ${key.correct} of ${key.drawn} times`;
  const gate = visited === null ? "" : ` ${formatCount(visited)} were visited, ${formatCount(popped ?? 0)} updated.`;
  return `${where}${why}${where === "" ? "" : "."} ${OUTCOMES[outcome] ?? ""}${gate}`.trim();
}
