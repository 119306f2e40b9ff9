import { createBrowserRouter, Navigate } from 'react-router';
import { JobsPage } from './pages/jobs/JobsPage.tsx';
import { RunsPage } from './pages/runs/RunsPage.tsx';
import { paths } from './paths.ts';
import { Layout } from './ui/Layout.tsx';
import { Loading, NotFound, PageProblem } from './ui/Problem.tsx';

export const router = createBrowserRouter([
  {
    element: <Layout />,
    // While the code of the first page is on its way.
    HydrateFallback: () => <Loading what="page" />,
    children: [
      {
        ErrorBoundary: PageProblem,
        children: [
          { index: true, element: <Navigate to={paths.jobs()} replace /> },
          { path: '/jobs', element: <JobsPage /> },
          {
            path: '/jobs/:jobId',
            lazy: async () => ({ Component: (await import('./pages/jobs/JobPage.tsx')).JobPage }),
          },
          { path: '/runs', element: <RunsPage /> },
          {
            // Brings the graph's layout with it, which is large.
            path: '/runs/:runId',
            lazy: async () => ({ Component: (await import('./pages/runs/RunPage.tsx')).RunPage }),
          },
          { path: '*', element: <NotFound what="page" /> },
        ],
      },
    ],
  },
]);
