import type { RunTaskDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { hasEnded } from '../ui/outcome.ts';
import { findSilentWorkers, noSilentWorkers, type SilentWorkers } from '../ui/worker-text.ts';
import { queries } from './queries.ts';

/** Asked for only while a worker has one of the tasks. An extra: nothing is told where it cannot be had. */
export function useSilentWorkers(tasks: readonly RunTaskDocument[]): SilentWorkers {
  const enabled = tasks.some((task) => task.headrace?.worker !== undefined && !hasEnded(task.state));
  const { data } = useQuery(queries.workers({ enabled }));
  return useMemo(
    () => (enabled && data ? findSilentWorkers(data.workers) : noSilentWorkers),
    [enabled, data],
  );
}
