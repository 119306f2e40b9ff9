/**
 * Looks whether everything holds that must hold, and says what does not, with its history. It changes nothing: what
 * can heal is healed by the ordinary loops, which it wakes.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DoctorFinding, DoctorReport } from '@headrace/api';
import { brokenInvariants } from '@headrace/core';
import { HotRuns } from '../runs/hot-runs.ts';
import type { Services } from '../services.ts';
import { layOut } from '../store/state-folder.ts';
import { describeHostedPaths, readHostedPathsFacts } from './hosted-paths.ts';
import { type MachineSources, machineRules } from './machine.ts';
import { type Rule, rules } from './rules.ts';
import { listActiveRunIds, readHistory, readVersions, type Suspect } from './store.ts';
import { describeTaskLimits, readTaskLimitsFacts } from './task-limits.ts';

export interface DoctorSources extends MachineSources {
  /** Of the runs that this process has in memory. */
  readonly hotVersions: () => ReadonlyMap<number, number>;
}

/** A save may be under way between two reads: only what still stands after a moment is told. */
const confirmAfterMs = 1_500;
const historyEventsMax = 20;
/** Runs loaded at a time by a deep check, and in all. */
const pageRuns = 50;
const deepRunsMax = 20_000;

export async function examine(
  services: Services,
  sources: DoctorSources,
  { deep }: { readonly deep: boolean },
): Promise<DoctorReport> {
  const { clock } = services;
  const checkedAtMs = clock.nowMs();
  const checks: DoctorReport['checks'] = [];
  const findings: DoctorFinding[] = [];

  async function check(kind: string, find: () => Promise<DoctorFinding[]>): Promise<void> {
    const startedAt = performance.now();
    const found = await find();
    checks.push({ kind, elapsed_ms: Math.round(performance.now() - startedAt), findings: found.length });
    findings.push(...found);
  }

  for (const rule of machineRules) {
    await check(rule.kind, async () =>
      (await rule.find(sources, clock.nowMs())).map((finding) => ({ ...finding, history: [] })),
    );
  }
  for (const rule of rules) await check(rule.kind, () => applyRule(rule, services));
  await check('memory_ahead_of_store', () => findHotAhead(services, sources));
  if (deep) await check('run_invariants', () => findBrokenRuns(services));
  const { hostsFolder } = layOut(sources.config.stateDir);
  const task_limits = describeTaskLimits(process.platform, await readTaskLimitsFacts(hostsFolder));
  const dataRoot = path.dirname(services.blobs.locate('volumes'));
  const hosted_paths = describeHostedPaths(await readHostedPathsFacts(dataRoot));
  return { checked_at_ms: checkedAtMs, deep, checks, findings, task_limits, hosted_paths };
}

async function applyRule(rule: Rule, { db, clock }: Services): Promise<DoctorFinding[]> {
  const first = await rule.find(db, clock.nowMs());
  if (first.length === 0) return [];
  await delay(confirmAfterMs);
  const known = new Set(first.map(keyOf));
  const suspects = (await rule.find(db, clock.nowMs())).filter((suspect) => known.has(keyOf(suspect)));
  return Promise.all(
    suspects.map(async (suspect) => ({
      kind: rule.kind,
      severity: rule.severity,
      ...rule.describe(suspect),
      ...whereOf(suspect),
      history: await historyOf(db, suspect.run_id, suspect.attempt_id),
    })),
  );
}

const keyOf = (suspect: Suspect) =>
  [suspect.run_id, suspect.attempt_id, suspect.worker_id, suspect.detail].join(' ');

function whereOf({ run_id, task_key, attempt_id, worker_id }: Suspect) {
  return {
    ...(run_id === null ? {} : { run_id }),
    ...(task_key === null ? {} : { task_key }),
    ...(attempt_id === null ? {} : { attempt_id }),
    ...(worker_id === null ? {} : { worker_id }),
  };
}

async function historyOf(
  db: Services['db'],
  runId: number | null,
  attemptId: number | null = null,
): Promise<DoctorFinding['history']> {
  if (runId === null) return [];
  const rows = await readHistory(db, { runId, attemptId, limit: historyEventsMax });
  return rows.map(({ at_ms, kind, task_key, attempt_id, detail }) => ({
    at_ms,
    kind,
    ...(task_key === null ? {} : { task_key }),
    ...(attempt_id === null ? {} : { attempt_id }),
    // It came from a column of JSON.
    ...(detail === null ? {} : { detail: detail as DoctorFinding['history'][number]['detail'] }),
  }));
}

/** Memory is read first: the store can only have moved on since. */
async function findHotAhead({ db }: Services, { hotVersions }: DoctorSources): Promise<DoctorFinding[]> {
  const hot = hotVersions();
  const rows = await readVersions(db, [...hot.keys()]);
  const stored = new Map(rows.map(({ run_id, version }) => [run_id, version]));
  const ahead = [...hot].filter(([runId, version]) => version > (stored.get(runId) ?? -1));
  return Promise.all(
    ahead.map(async ([runId, version]) => ({
      kind: 'memory_ahead_of_store',
      severity: 'error' as const,
      message: `Run ${runId} is at version ${version} in memory and at ${stored.get(runId) ?? 'none'} in the store.`,
      advice:
        'A store that was restored under a running server does this: restart the server, else report it.',
      run_id: runId,
      history: await historyOf(db, runId),
    })),
  );
}

async function findBrokenRuns({ db }: Services): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  const hot = new HotRuns(db);
  let after = 0;
  for (let seen = 0; seen < deepRunsMax; seen += pageRuns) {
    const runIds = await listActiveRunIds(db, after, pageRuns);
    for (const { run } of await hot.load(runIds)) {
      for (const broken of brokenInvariants(run)) {
        findings.push({
          kind: 'run_invariants',
          severity: 'error',
          message: `Run ${run.runId}: ${broken}.`,
          advice: 'This is a defect: report it with the history; cancel the run if it does not end.',
          run_id: run.runId,
          history: await historyOf(db, run.runId),
        });
      }
    }
    if (runIds.length < pageRuns) break;
    after = runIds.at(-1) ?? after;
  }
  return findings;
}
