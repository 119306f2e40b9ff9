/** Every link of the UI is made here, so that a page can move without hunting for texts. */

export interface RunView {
  /** Selected task, by key. */
  readonly task?: string | undefined;
  readonly tab?: 'output' | 'log' | 'settings' | undefined;
  /** The latest one without it. */
  readonly attempt?: number | undefined;
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
  run: (runId: number, { task, tab, attempt }: RunView = {}) =>
    withQuery(`/runs/${runId}`, { task, tab, attempt }),
};

function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
