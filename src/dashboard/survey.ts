/**
 * What a run's logs say of each observation: visits, draws, right answers, trainings, and which kinds of trouble its
 * samples had. The logs of each finished iteration are read once, between turns of the event loop, and never kept.
 * Memory: about 20 bytes an observation, and the ids of those that were drawn.
 */

import { trainedExamples } from "../analysis/training-frequency.js";
import type { RunReader } from "../run/directory/reader.js";
import type { DrawnSample } from "../run/directory/records.js";
import type {
  Frequencies,
  ObservationFilter,
  ObservationPage,
  ObservationRow,
  ObservationSort,
  SurveyState,
} from "./api-types.js";
import { nextTurn } from "./pictures.js";

/** Bits of an observation's marks. */
const MARKS = { "strict and lenient disagree": 1, "wrong step": 2, "verifier failed": 4 } as const;
/** Rows of the picture of visits: 0 … 11, and 12 or more. */
const VISIT_ROWS = 13;
const MAX_BINS = 40;
/** Records read before other requests get their turn. */
const SLICE = 2_000;

export interface ObservationQuery {
  readonly search: string;
  readonly filter: ObservationFilter | null;
  readonly sort: ObservationSort;
  readonly descending: boolean;
  readonly from: number;
  readonly count: number;
}

export class Survey {
  readonly #reader: RunReader;
  #columns = columnsOf(0);
  #ids: string[] = [];
  #visits: number[][] = [];
  #done = 0;
  #reading: Promise<void> | null = null;
  #failure: Error | null = null;

  constructor(reader: RunReader) {
    this.#reader = reader;
  }

  /** Reads what is new. Answers at once, with what is known; or, where little is left, after a moment. */
  async advance(patience = 400): Promise<SurveyState> {
    this.#reading ??= this.#readOn()
      .catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#reading = null;
      });
    const moment = new Promise<void>((resume) => setTimeout(resume, patience).unref());
    await Promise.race([this.#reading, moment]);
    this.#throwFailure();
    return this.state;
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  get state(): SurveyState {
    return { done: this.#done, total: this.#reader.records.length };
  }

  async #readOn(): Promise<void> {
    while (this.#done < this.#reader.records.length) {
      const iteration = this.#done + 1;
      const size = this.#reader.observations ?? 0;
      if (this.#columns.visits.length < size) this.#columns = columnsOf(size);
      await this.#readDraws(iteration);
      for (const observation of trainedExamples(this.#reader, iteration)) {
        this.#columns.trained[observation]++;
      }
      this.#visits.push(histogramOf(this.#columns.visits, 1, VISIT_ROWS));
      this.#done = iteration;
      await nextTurn();
    }
  }

  async #readDraws(iteration: number): Promise<void> {
    let read = 0;
    for (const sample of this.#reader.draws(iteration)) {
      this.#add(sample, iteration);
      if (++read % SLICE === 0) await nextTurn();
    }
  }

  #add(sample: DrawnSample, iteration: number): void {
    const { observation, id, correct, stop, strict, lenient, failure, wrongStep } = sample;
    const { visits, last, draws, solved, marks } = this.#columns;
    if (observation >= visits.length) return;
    if (last[observation] !== iteration) visits[observation]++;
    last[observation] = iteration;
    draws[observation]++;
    if (correct) solved[observation]++;
    if (stop !== "length" && strict !== lenient) marks[observation] |= MARKS["strict and lenient disagree"];
    if (typeof wrongStep === "number") marks[observation] |= MARKS["wrong step"];
    if (failure !== undefined) marks[observation] |= MARKS["verifier failed"];
    this.#ids[observation] ??= id;
  }

  frequencies(): Frequencies {
    const { trained } = this.#columns;
    let most = 0;
    let sum = 0;
    for (const times of trained) {
      most = Math.max(most, times);
      sum += times;
    }
    const mean = sum / Math.max(1, trained.length);
    let squares = 0;
    for (const times of trained) squares += (times - mean) ** 2;
    const width = Math.max(1, Math.ceil((most + 1) / MAX_BINS));
    return {
      ...this.state,
      histogram: histogramOf(trained, width, Math.ceil((most + 1) / width)),
      width,
      mean,
      deviation: Math.sqrt(squares / Math.max(1, trained.length)),
      visits: this.#visits,
    };
  }

  page({ search, filter, sort, descending, from, count }: ObservationQuery): ObservationPage {
    const columns = this.#columns;
    const keep = this.#filterOf(filter);
    const needle = search.trim().toLowerCase();
    const found: number[] = [];
    for (let i = 0; i < columns.visits.length; i++) {
      if (!keep(i)) continue;
      if (needle === "" || this.#nameOf(i).toLowerCase().includes(needle) || String(i) === needle) found.push(i);
    }
    const keyOf = this.#keyOf(sort);
    if (sort !== "index" || descending) {
      const sign = descending ? -1 : 1;
      found.sort((a, b) => sign * (keyOf(a) - keyOf(b)) || a - b);
    }
    const rows = found.slice(from, from + count).map((i) => this.#row(i));
    return { ...this.state, total: found.length, rows };
  }

  #filterOf(filter: ObservationFilter | null): (observation: number) => boolean {
    const { draws, solved, trained, marks } = this.#columns;
    switch (filter) {
      case null:
        return () => true;
      case "never solved":
        return (i) => draws[i] > 0 && solved[i] === 0;
      case "over-trained": {
        // More than two standard deviations above the mean.
        const { mean, deviation } = this.frequencies();
        return (i) => trained[i] > mean + 2 * deviation;
      }
      case "strict and lenient disagree":
      case "wrong step":
      case "verifier failed":
        return (i) => (marks[i] & MARKS[filter]) !== 0;
    }
  }

  #keyOf(sort: ObservationSort): (observation: number) => number {
    const { draws, solved, ...columns } = this.#columns;
    switch (sort) {
      case "index":
        return (i) => i;
      case "rate":
        // Those that were never drawn have no rate and come last.
        return (i) => (draws[i] === 0 ? 2 : solved[i] / draws[i]);
      case "draws":
        return (i) => draws[i];
      case "visits":
      case "trained":
      case "last":
        return (i) => columns[sort][i];
    }
  }

  /** Ids are learned from draws; an observation that was never drawn for goes by its index. */
  #nameOf(observation: number): string {
    return this.#ids[observation] ?? `#${observation}`;
  }

  #row(index: number): ObservationRow {
    const { visits, draws, solved, trained, last } = this.#columns;
    return {
      index,
      id: this.#nameOf(index),
      visits: visits[index],
      draws: draws[index],
      correct: solved[index],
      trained: trained[index],
      last: last[index],
    };
  }
}

function columnsOf(size: number) {
  return {
    visits: new Uint16Array(size),
    last: new Uint16Array(size),
    draws: new Uint32Array(size),
    solved: new Uint32Array(size),
    trained: new Uint32Array(size),
    marks: new Uint8Array(size),
  };
}

/** Counts of values by bins of a width; the last bin has all that are above. */
function histogramOf(values: ArrayLike<number>, width: number, bins: number): number[] {
  const counts = new Array<number>(Math.max(1, bins)).fill(0);
  for (let i = 0; i < values.length; i++) counts[Math.min(counts.length - 1, Math.floor(values[i] / width))]++;
  return counts;
}
