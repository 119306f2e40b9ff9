/** Repairs: run again what failed, or what is named, within the same run. */
import { z } from 'zod';
import { jobsPaths } from './jobs.ts';
import { route } from './route.ts';
import { runParameterFields } from './run-parameters.ts';
import { RunTaskKey, tasksMax } from './tasks.ts';
import { textMap, wireBool, wireId } from './wire.ts';

/** `current`: the tasks as the job has them now. `original`: as they were when the run was made. */
export const repairDefinitions = ['current', 'original'] as const;

export const RunsRepairRequest = z.object({
  run_id: wireId,
  rerun_tasks: z.array(RunTaskKey).max(tasksMax).optional(),
  rerun_all_failed_tasks: wireBool.default(false),
  rerun_dependent_tasks: wireBool.default(false),
  /** Must name the last repair, where there is one: two people do not repair the same run unawares. */
  latest_repair_id: wireId.optional(),
  job_parameters: textMap.optional(),
  ...runParameterFields,
  performance_target: z.string().optional(),
  /** Ours. */
  headrace: z
    .object({
      definition: z.enum(repairDefinitions).default('current'),
      /** Repair although other tasks of the run are still at work. */
      while_active: wireBool.default(false),
    })
    .prefault({}),
});
export type RunsRepairRequest = z.output<typeof RunsRepairRequest>;

export const runsRepair = route({
  method: 'POST',
  ...jobsPaths('runs/repair'),
  summary: 'Runs some tasks of a run again; the results of the others stand.',
  request: RunsRepairRequest,
  response: z.looseObject({ repair_id: z.int() }),
  permission: 'user',
  audit: 'runs.repair',
});

/** `rerun`: a new attempt. `reuse`: its result stands. `skip`: chosen, and what it depends on keeps it from running. */
export const repairActions = ['rerun', 'reuse', 'skip'] as const;
export type RepairAction = (typeof repairActions)[number];

export const RepairPreviewTask = z.looseObject({
  task_key: z.string(),
  action: z.enum(repairActions),
  /** Its latest task run; a task that the run has not had yet has none. */
  run_id: z.int().optional(),
  /** Of a for-each. */
  iterations: z.looseObject({ total: z.int(), reuse: z.int() }).optional(),
});
export type RepairPreviewTask = z.output<typeof RepairPreviewTask>;

export const runsRepairPreview = route({
  method: 'POST',
  path: '/api/headrace/runs/repair-preview',
  summary: 'Says which tasks a repair would run again, reuse and skip, and changes nothing.',
  request: RunsRepairRequest,
  response: z.looseObject({ run_id: z.int(), tasks: z.array(RepairPreviewTask) }),
  permission: 'user',
  audit: 'runs.preview-repair',
});
