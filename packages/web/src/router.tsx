import { createBrowserRouter, Navigate } from 'react-router';
import { JobPage } from './pages/jobs/JobPage.tsx';
import { JobsPage } from './pages/jobs/JobsPage.tsx';
import { RunPage } from './pages/runs/RunPage.tsx';
import { RunsPage } from './pages/runs/RunsPage.tsx';
import { paths } from './paths.ts';
import { Layout } from './ui/Layout.tsx';
import { NotFound } from './ui/Problem.tsx';

export const router = createBrowserRouter([
  {
    element: <Layout />,
    children: [
      { index: true, element: <Navigate to={paths.jobs()} replace /> },
      { path: '/jobs', element: <JobsPage /> },
      { path: '/jobs/:jobId', element: <JobPage /> },
      { path: '/runs', element: <RunsPage /> },
      { path: '/runs/:runId', element: <RunPage /> },
      { path: '*', element: <NotFound what="page" /> },
    ],
  },
]);
