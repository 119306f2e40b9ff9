/** Is there a place for a new run of a job? */
export function admit(job: {
  readonly activeRuns: number;
  readonly runsMax: number;
  readonly queueEnabled: boolean;
}): 'admit' | 'queue' | 'skip' {
  if (job.activeRuns < job.runsMax) return 'admit';
  return job.queueEnabled ? 'queue' : 'skip';
}
