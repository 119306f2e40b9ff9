/** Every link of the UI is made here, so that a page can move without hunting for texts. */

export interface RunView {
  /** Selected task, by key. */
  readonly task?: string | undefined;
  readonly tab?: 'iterations' | 'output' | 'log' | 'settings' | undefined;
  /** Place among the task's attempts, from 0; the latest one without it. */
  readonly attempt?: number | undefined;
  /** Of a for-each: the page of iterations, which of them, and the one that is open. */
  readonly page?: string | undefined;
  readonly show?: 'failed' | undefined;
  readonly iteration?: number | undefined;
  /** `original` or the id of a repair: the run as that left it; as it is now without it. */
  readonly repair?: string | undefined;
}

export interface RunsView {
  readonly jobId?: number | undefined;
  readonly show?: 'active' | 'completed' | undefined;
  readonly page?: string | undefined;
}

export const paths = {
  jobs: (view: { readonly page?: string | undefined } = {}) => withQuery('/jobs', { page: view.page }),
  job: (jobId: number) => `/jobs/${jobId}`,
  runs: ({ jobId, show, page }: RunsView = {}) => withQuery('/runs', { job_id: jobId, show, page }),
  run: (runId: number, view: RunView = {}) => {
    const { repair, task, tab, attempt, show, page, iteration } = view;
    return withQuery(`/runs/${runId}`, { repair, task, tab, attempt, show, page, iteration });
  },
};

function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
