/** What became of one recorded case. */
export interface CaseResult {
  readonly id: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What differs, or why the case does not apply. */
  readonly reason?: string;
}
