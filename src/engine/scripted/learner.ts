/**
 * What the simulated learner knows: a logistic model of being right, trained by real gradients and a real Adam.
 *
 *     log-odds of lesson i = ability − difficultyStep · difficulty(i)
 *                          + responsiveness · (own(i) + byGroup · group(i) + byAll · general)
 *
 * own, group and general are weights, all 0 at first. Training on a lesson raises its own weight, that of its group and
 * the general one, so similar lessons get easier, too.
 */

import { createHash } from "node:crypto";
import { sum } from "../../statistics/descriptive.js";
import type { OptimizerParams } from "../engine.js";
import type { Lesson } from "./lesson.js";

export interface LearnerTraits {
  /** Log-odds of being right on a lesson of difficulty 0 before any training. */
  readonly ability: number;
  /** Log-odds lost with each level of difficulty. */
  readonly difficultyStep: number;
  /** Log-odds gained by a hint. */
  readonly hintBonus: number;
  /** Log-odds that a weight of 1 brings; Adam moves a weight by about the learning rate a step. */
  readonly responsiveness: number;
  /** Share of a lesson's progress that its group makes, too. */
  readonly byGroup: number;
  /** Share of a lesson's progress that all lessons make, too. */
  readonly byAll: number;
}

/** Completion tokens of one example: how many are those that the lesson teaches, and how many are not. */
export interface Evidence {
  readonly lesson: number;
  readonly right: number;
  readonly wrong: number;
  /** Tokens of the lesson's whole completion, end-of-text included. */
  readonly length: number;
}

/** Positions of a lesson's three weights. */
type Touched = readonly [own: number, group: number, general: number];

export class Learner {
  readonly #traits: LearnerTraits;
  /** Log-odds of each lesson before any training. */
  readonly #base: Float64Array;
  /** Position of each lesson's group weight. */
  readonly #groupPlace: Uint32Array;
  readonly #generalPlace: number;
  /** Weights: own by lesson, then by group, then the general one; `first` and `second` are their Adam moments. */
  readonly #weights: Float64Array;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  #step = 0;

  constructor(lessons: readonly Pick<Lesson, "difficulty" | "group">[], traits: LearnerTraits) {
    this.#traits = traits;
    this.#base = Float64Array.from(lessons, ({ difficulty }) => traits.ability - traits.difficultyStep * difficulty);
    const groups = new Map<string, number>();
    this.#groupPlace = Uint32Array.from(lessons, ({ group }) => {
      const place = groups.get(group) ?? lessons.length + groups.size;
      groups.set(group, place);
      return place;
    });
    this.#generalPlace = lessons.length + groups.size;
    this.#weights = new Float64Array(this.#generalPlace + 1);
    this.#first = new Float64Array(this.#generalPlace + 1);
    this.#second = new Float64Array(this.#generalPlace + 1);
  }

  get parameters(): number {
    return this.#weights.length;
  }

  logOdds(lesson: number, hinted: boolean): number {
    const { responsiveness, byGroup, byAll, hintBonus } = this.#traits;
    const [own, group, general] = this.#touchedBy(lesson);
    const learned = this.#weights[own] + byGroup * this.#weights[group] + byAll * this.#weights[general];
    return this.#base[lesson] + responsiveness * learned + (hinted ? hintBonus : 0);
  }

  /**
   * Mean negative log-likelihood over all tokens of `batch` in nats, and its gradient by position of the weight. If p
   * is the probability of being right, a completion of n tokens has probability p, so p^(1/n) for each token of the
   * lesson, and (1 − p)^(1/n) for each other token.
   */
  gradient(batch: readonly Evidence[]): { readonly loss: number; readonly gradient: ReadonlyMap<number, number> } {
    const { responsiveness, byGroup, byAll } = this.#traits;
    const tokens = sum(batch.map(({ right, wrong }) => right + wrong));
    const gradient = new Map<number, number>();
    const add = (place: number, value: number) => gradient.set(place, (gradient.get(place) ?? 0) + value);
    let loss = 0;
    for (const { lesson, right, wrong, length } of batch) {
      const logOdds = this.logOdds(lesson, false);
      loss += (right * softplus(-logOdds) + wrong * softplus(logOdds)) / (length * tokens);
      const byLogOdds = (wrong * sigmoid(logOdds) - right * sigmoid(-logOdds)) / (length * tokens);
      const [own, group, general] = this.#touchedBy(lesson);
      add(own, responsiveness * byLogOdds);
      add(group, responsiveness * byGroup * byLogOdds);
      add(general, responsiveness * byAll * byLogOdds);
    }
    return { loss, gradient };
  }

  /**
   * One Adam update of the weights in `gradient`. Other weights and their moments stay unchanged, as in PyTorch's
   * SparseAdam, so the cost of a step does not depend on the number of lessons.
   */
  update(gradient: ReadonlyMap<number, number>, scale: number, params: OptimizerParams): void {
    const { kind, learningRate, beta1, beta2, epsilon, weightDecay } = params;
    this.#step++;
    const firstCorrection = 1 - beta1 ** this.#step;
    const secondCorrection = 1 - beta2 ** this.#step;
    for (const [place, value] of gradient) {
      const decayed = scale * value + (kind === "adam" ? weightDecay * this.#weights[place] : 0);
      const first = beta1 * this.#first[place] + (1 - beta1) * decayed;
      const second = beta2 * this.#second[place] + (1 - beta2) * decayed * decayed;
      this.#first[place] = first;
      this.#second[place] = second;
      if (kind === "adamw") this.#weights[place] -= learningRate * weightDecay * this.#weights[place];
      this.#weights[place] -=
        (learningRate * (first / firstCorrection)) / (Math.sqrt(second / secondCorrection) + epsilon);
    }
  }

  resetOptimizer(): void {
    this.#first.fill(0);
    this.#second.fill(0);
    this.#step = 0;
  }

  reset(): void {
    this.#weights.fill(0);
    this.resetOptimizer();
  }

  checksum(): string {
    return createHash("sha256").update(this.#weights).digest("hex");
  }

  /** The weights; with `optimizer`, also the moments and the step count. */
  state(optimizer: boolean): Float64Array {
    if (!optimizer) return this.#weights.slice();
    const parts = [...this.#stateParts(), Float64Array.of(this.#step)];
    const state = new Float64Array(3 * this.parameters + 1);
    for (const [i, part] of parts.entries()) state.set(part, i * this.parameters);
    return state;
  }

  /** Restores what `state` returned; without moments in it, the optimizer is fresh. */
  setState(state: Float64Array): void {
    this.#weights.set(state.subarray(0, this.parameters));
    this.resetOptimizer();
    if (state.length === this.parameters) return;
    for (const [i, part] of this.#stateParts().entries()) {
      part.set(state.subarray(i * this.parameters, (i + 1) * this.parameters));
    }
    this.#step = state[3 * this.parameters];
  }

  #stateParts(): readonly Float64Array[] {
    return [this.#weights, this.#first, this.#second];
  }

  #touchedBy(lesson: number): Touched {
    return [lesson, this.#groupPlace[lesson], this.#generalPlace];
  }
}

/** log(1 + eˣ) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** 1 / (1 + e⁻ˣ) without overflow. */
function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}
