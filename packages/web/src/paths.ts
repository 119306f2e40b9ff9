/** Every link of the UI is made here, so that a page can move without hunting for texts. */

export interface RunView {
  /** Selected task, by key. */
  readonly task?: string | undefined;
  readonly tab?: 'output' | 'log' | 'settings' | undefined;
}

export const paths = {
  jobs: () => '/jobs',
  job: (jobId: number) => `/jobs/${jobId}`,
  runs: (
    filter: { readonly jobId?: number | undefined; readonly show?: 'active' | 'completed' | undefined } = {},
  ) => withQuery('/runs', { job_id: filter.jobId?.toString(), show: filter.show }),
  run: (runId: number, view: RunView = {}) => withQuery(`/runs/${runId}`, { ...view }),
};

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
