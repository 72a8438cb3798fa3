/** What a node has done so far (RW14). */

/** What the control bus can make of a node: work, hand inputs on unchanged, drop them. */
export type NodeState = 'enabled' | 'bypass' | 'disabled';

/** Figures of one node, since its session began. */
export interface NodeMetrics {
  readonly state: NodeState;
  /** Turns that came to an end, failed ones included. */
  readonly turns: number;
  readonly failed: number;
  readonly outputs: number;
  /** Inputs that wait now, and the most that ever waited. */
  readonly queueDepth: number;
  readonly maxQueueDepth: number;
  /** Milliseconds from the start of a turn to its end: in sum, the last, the longest. */
  readonly totalMs: number;
  readonly lastMs: number;
  readonly maxMs: number;
  readonly restarts: number;
}

/** Counts for one node. */
export class NodeMeter {
  #turns = 0;
  #failed = 0;
  #outputs = 0;
  #maxQueueDepth = 0;
  #totalMs = 0;
  #lastMs = 0;
  #maxMs = 0;
  #restarts = 0;

  queued(depth: number): void {
    if (depth > this.#maxQueueDepth) this.#maxQueueDepth = depth;
  }

  turn(facts: { durationMs: number; outputs: number; failed: boolean }): void {
    this.#turns += 1;
    this.#outputs += facts.outputs;
    this.#totalMs += facts.durationMs;
    this.#lastMs = facts.durationMs;
    this.#maxMs = Math.max(this.#maxMs, facts.durationMs);
    if (facts.failed) this.#failed += 1;
  }

  restarted(): void {
    this.#restarts += 1;
  }

  snapshot(queueDepth: number, state: NodeState): NodeMetrics {
    return {
      state,
      turns: this.#turns,
      failed: this.#failed,
      outputs: this.#outputs,
      queueDepth,
      maxQueueDepth: this.#maxQueueDepth,
      totalMs: this.#totalMs,
      lastMs: this.#lastMs,
      maxMs: this.#maxMs,
      restarts: this.#restarts,
    };
  }
}
