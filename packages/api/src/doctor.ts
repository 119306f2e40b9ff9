/** What the server finds wrong with itself: invariants of its store, its loops, its machine. */
import { z } from 'zod';
import { route } from './route.ts';
import { epochMs, JsonValue, wireBool } from './wire.ts';

export const DoctorFinding = z.looseObject({
  /** The rule that does not hold. */
  kind: z.string(),
  /** `error`: work is stuck or will be; `warning`: somebody should know. */
  severity: z.enum(['error', 'warning']),
  message: z.string(),
  advice: z.string(),
  run_id: z.int().optional(),
  task_key: z.string().optional(),
  attempt_id: z.int().optional(),
  worker_id: z.string().optional(),
  /** Of the run, or of the attempt where it is about one: the newest last. */
  history: z.array(
    z.looseObject({
      at_ms: epochMs,
      kind: z.string(),
      task_key: z.string().optional(),
      attempt_id: z.int().optional(),
      detail: JsonValue.optional(),
    }),
  ),
});
export type DoctorFinding = z.output<typeof DoctorFinding>;

export const DoctorReport = z.looseObject({
  checked_at_ms: epochMs,
  deep: z.boolean(),
  /** Every rule that was checked, how long that took, and how much it found. */
  checks: z.array(z.looseObject({ kind: z.string(), elapsed_ms: z.number(), findings: z.int() })),
  findings: z.array(DoctorFinding),
  /** By what means tasks on the server's own machine are kept to their limits. */
  task_limits: z.string().optional(),
  /** By what means they find /Volumes, /dbfs and /Workspace there. */
  hosted_paths: z.string().optional(),
});
export type DoctorReport = z.output<typeof DoctorReport>;

export const doctor = route({
  method: 'GET',
  path: '/api/headrace/doctor',
  summary: 'Checks what must hold of runs, attempts, loops and the machine; changes nothing.',
  request: z.object({ deep: wireBool.default(false) }),
  response: DoctorReport,
  permission: 'user',
  audit: 'server.doctor',
});
