/** What became of one recorded case. */
export interface CaseResult {
  readonly id: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What differs, or why the case was not run. */
  readonly reason?: string;
}
