/** Runs parts of an ended run again, or says beforehand which. */
import { ApiError, type JobSettings, type RepairPreviewTask, type RunsRepairRequest } from '@headrace/api';
import { planRepair, type RepairRefusal, type RepairRequest, type Run, slotOf } from '@headrace/core';
import type { RunServices } from './create-run.ts';
import { type HotRun, HotRuns } from './hot-runs.ts';
import { toRunDefinition, withTasks } from './run-definition.ts';
import type { Document, OverridingParameters, RunParameters } from './run-facts.ts';
import { giveJobParameters, takeOverriding } from './run-parameters.ts';
import type { NewRunOrder, RepairOrder } from './work-items.ts';

/** What the job is now, for repairs that run it so. */
export interface CurrentJob {
  readonly settings: Document;
  readonly name: string;
}

export interface RepairUses {
  readonly readCurrentJob: (jobId: number) => Promise<CurrentJob | null>;
}

export async function repairRun(
  services: RunServices,
  request: RunsRepairRequest,
  uses: RepairUses,
): Promise<number> {
  const { order } = await toOrder(services, request, uses);
  const { isKnown, refusal } = await services.advancer.repair(request.run_id, order);
  if (!isKnown) throw noSuchRun(request.run_id);
  if (refusal !== null) throw refusalOf(request.run_id, refusal);
  return order.repairId;
}

export async function previewRepair(
  services: RunServices,
  request: RunsRepairRequest,
  uses: RepairUses,
): Promise<RepairPreviewTask[]> {
  const { order, run } = await toOrder(services, request, uses);
  const planned = planRepair(run, order.request);
  if (planned.kind === 'refused') throw refusalOf(request.run_id, planned);
  return planned.tasks.map(({ key, action }) => {
    const taskRun = run.taskRuns.get(key);
    const iterations = action === 'rerun' ? countIterations(run, key, planned.reusesIterations) : null;
    return {
      task_key: key,
      action,
      ...(taskRun ? { run_id: taskRun.attemptId } : {}),
      ...(iterations ? { iterations } : {}),
    };
  });
}

/** As far as the inputs stay what they were. */
function countIterations(
  run: Run,
  key: string,
  reuses: boolean,
): { readonly total: number; readonly reuse: number } | null {
  const outer = run.taskRuns.get(key);
  const nestedKey = nestedKeyOf(run, key);
  if (!outer?.inputs || nestedKey === null) return null;
  const total = outer.inputs.length;
  let reuse = 0;
  for (let iteration = 0; reuses && iteration < total; iteration++) {
    const state = run.taskRuns.get(slotOf(nestedKey, iteration))?.state;
    if (state?.kind === 'ended' && state.result === 'succeeded') reuse += 1;
  }
  return { total, reuse };
}

function nestedKeyOf(run: Run, key: string): string | null {
  const work = run.generations.at(-1)?.definition.tasks.find((task) => task.key === key)?.work;
  return work?.kind === 'for_each' ? work.task.key : null;
}

async function toOrder(
  services: RunServices,
  request: RunsRepairRequest,
  uses: RepairUses,
): Promise<{ readonly order: RepairOrder; readonly run: Run }> {
  const [loaded] = await new HotRuns(services.db).load([request.run_id]);
  if (!loaded) throw noSuchRun(request.run_id);
  const { facts, run } = loaded;
  const settings = await settingsFor(request, loaded, uses);
  const parameters = parametersFor(facts.parameters, request.job_parameters ?? {}, takeOverriding(request));
  return {
    run,
    order: {
      repairId: services.ids.newId(),
      request: toRepairRequest(request, settings, parameters),
      settings,
      parameters,
      places: placesOf(loaded, settings),
    },
  };
}

async function settingsFor(
  { headrace }: RunsRepairRequest,
  { facts }: HotRun,
  { readCurrentJob }: RepairUses,
): Promise<Document> {
  if (headrace?.definition === 'original' || facts.jobId === null) return facts.settings;
  const job = await readCurrentJob(facts.jobId);
  // A job that is deleted cannot have changed.
  return job ? withTasks(job.settings, job.name) : facts.settings;
}

function toRepairRequest(
  request: RunsRepairRequest,
  settings: Document,
  { only }: RunParameters,
): RepairRequest {
  return {
    rerunTasks: request.rerun_tasks ?? [],
    rerunAllFailed: request.rerun_all_failed_tasks ?? false,
    rerunDependent: request.rerun_dependent_tasks ?? false,
    whileActive: request.headrace?.while_active ?? false,
    latestRepairId: request.latest_repair_id ?? null,
    definition: toRunDefinition(settings, only),
    changesParameters:
      request.job_parameters !== undefined || Object.keys(takeOverriding(request)).length > 0,
  };
}

/** What is given anew replaces what the run had; the rest stays. */
function parametersFor(
  former: RunParameters,
  given: Readonly<Record<string, string>>,
  overriding: OverridingParameters,
): RunParameters {
  return {
    ...former,
    job: giveJobParameters(former.job, given),
    overriding: { ...former.overriding, ...overriding },
  };
}

function placesOf({ facts }: HotRun, settings: Document): NewRunOrder['places'] {
  const { queue } = settings as JobSettings;
  return facts.jobId === null ? null : { jobId: facts.jobId, queueEnabled: queue?.enabled ?? false };
}

function refusalOf(runId: number, { field, reason }: RepairRefusal): ApiError {
  if (field !== null) return new ApiError('INVALID_PARAMETER_VALUE', `${field}: ${reason}`);
  return new ApiError('INVALID_STATE', `Run ${runId} cannot be repaired: ${reason}`);
}

function noSuchRun(runId: number): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Run ${runId} does not exist.`);
}
