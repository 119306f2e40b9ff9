/** Measures for a monitoring system, in the text format of Prometheus. */
import { z } from 'zod';
import { route } from './route.ts';
import { Nothing } from './wire.ts';

export const metrics = route({
  method: 'GET',
  path: '/metrics',
  summary: 'Shows measures of runs, attempts, loops and the process as Prometheus text.',
  request: z.object({}),
  response: Nothing,
  kind: 'bytes',
  permission: 'user',
  audit: 'server.metrics',
});
