/** People and programs that use the API: they begin runs, cancel, repair, and ask again when an answer is lost. */
import { toRunId } from '../ids.ts';
import type { RunEvent } from '../run/events.ts';
import type { RepairRequest } from '../run/repair.ts';
import type { Run } from '../run/state.ts';
import { call } from './call.ts';
import { type Program, Ticket } from './kernel.ts';
import type { Scheduler } from './scheduler.ts';
import { phaseOf } from './store.ts';
import type { World } from './world.ts';

/** Then a client gives up. */
const triesMax = 5;
const withinMs = 6_000;

export function startClients(world: World): void {
  const { kernel, clients, scenario, random } = world;
  for (let at = 0; at < scenario.runs; at++) {
    // Two clients may race with one token.
    const token = random.chance(0.4) ? `token-${random.below(2)}` : null;
    kernel.spawn(clients, createRun(world, token));
  }
  for (let at = 0; at < scenario.cancels; at++) kernel.spawn(clients, cancelSomething(world));
  for (let at = 0; at < scenario.repairs; at++) kernel.spawn(clients, repairSomething(world));
}

function request<T>(world: World, program: (scheduler: Scheduler) => Program<T>): Program<T | 'broken'> {
  const to = world.random.pick(world.schedulers);
  return call({ from: world.clients, to, isReliable: false, mayDouble: true }, () => program(to));
}

/** With a token it may be asked for again; without one a lost answer stays lost. */
function* createRun(world: World, token: string | null): Program {
  const { random } = world;
  yield random.below(withinMs / 2);
  // A token belongs to one request, so to one job.
  const job = token === null ? random.pick(world.scenario.jobs) : world.scenario.jobs[0];
  if (!job) return;
  const { jobId, definition } = job;
  for (let tries = 0; tries < (token === null ? 1 : triesMax); tries++) {
    const runId = yield* request(world, function* (scheduler) {
      const done = new Ticket<Run['runId'] | 'failed'>();
      const facts = { token, parent: null };
      const id = toRunId(world.store.newId());
      scheduler.submit({ kind: 'create', runId: id, jobId, definition, facts, done, tries: 0 });
      yield done;
      return done.value ?? 'failed';
    });
    world.trace?.(`client: asked job ${jobId} for a run${token ? ` by ${token}` : ''}: ${runId}`);
    if (runId !== 'broken') return;
    yield 500;
  }
}

function pickRun(world: World): Run | null {
  const all = [...world.store.runs.values()];
  return all.length === 0 ? null : world.random.pick(all).run;
}

function* cancelSomething(world: World): Program {
  const { random } = world;
  yield random.below(withinMs);
  const run = pickRun(world);
  if (!run) return;
  const taskRuns = [...run.taskRuns.values()];
  const event: RunEvent =
    taskRuns.length === 0 || random.chance(0.4)
      ? { kind: 'cancel_requested', reason: 'cancelled_by_user' }
      : { kind: 'task_cancel_requested', attemptId: random.pick(taskRuns).attemptId };
  world.trace?.(`client: ${event.kind} to run ${run.runId}`);
  for (let tries = 0; tries < triesMax; tries++) {
    const answer = yield* request(world, (scheduler) => scheduler.tell(run.runId, [event]));
    if (answer !== 'broken' && answer !== 'failed') return;
    yield 500;
  }
}

/** Asked again after a lost answer it is a new request: the latest repair it names is then no longer the latest. */
function* repairSomething(world: World): Program {
  const { random, store } = world;
  yield random.below(2 * withinMs);
  const run = pickRun(world);
  if (!run || run.jobId === null) return;
  const { jobId, laterDefinition } = store.job(run.jobId);
  const repairRequest = drawRepair(world, run, laterDefinition);
  for (let tries = 0; tries < triesMax; tries++) {
    const answer = yield* request(world, function* (scheduler) {
      const done = new Ticket<'done' | 'failed'>();
      const repairId = store.newId();
      scheduler.submit({
        kind: 'repair',
        runId: run.runId,
        jobId,
        repairId,
        request: repairRequest,
        done,
        tries: 0,
      });
      yield done;
      return done.value ?? 'failed';
    });
    world.trace?.(`client: asked for a repair of run ${run.runId}: ${answer}`);
    if (answer !== 'broken') return;
    yield 500;
  }
}

function drawRepair({ random }: World, run: Run, later: RepairRequest['definition']): RepairRequest {
  const [first] = run.generations;
  const definition = random.chance(0.5) && first ? first.definition : later;
  const chosen = definition.tasks.filter(() => random.chance(0.3)).map(({ key }) => key);
  return {
    rerunTasks: chosen,
    rerunAllFailed: chosen.length === 0 || random.chance(0.3),
    rerunDependent: random.chance(0.5),
    whileActive: phaseOf(run).kind !== 'ended' || random.chance(0.2),
    latestRepairId: run.generations.at(-1)?.repair?.repairId ?? null,
    definition,
    changesParameters: random.chance(0.3),
  };
}
