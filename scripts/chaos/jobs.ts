/** Jobs that use everything a run can do, with lengths, failures and policies drawn from the seed. */
import type { Random } from '../../packages/core/src/simulation/random.ts';

export interface TaskMaker {
  readonly random: Random;
  /** The program of every task. */
  readonly pythonFile: string;
  readonly diaryFile: string;
}

interface Task {
  readonly task_key: string;
  readonly [field: string]: unknown;
}

interface Work {
  readonly seconds?: number;
  /** See task.py. */
  readonly traits?: string;
  readonly after?: readonly (string | { readonly key: string; readonly outcome: string })[];
  readonly more?: object;
}

/** Far beyond any time-out: it does not come to its end. */
const foreverS = 3_000;

export const childJobName = 'child';

export type JobDraft = { readonly name: string; readonly tasks: readonly Task[] } & Readonly<
  Record<string, unknown>
>;

/** The others start it. */
export function draftChildJob(maker: TaskMaker): JobDraft {
  return {
    name: childJobName,
    max_concurrent_runs: 50,
    tasks: [task(maker, 'leaf'), task(maker, 'last', { after: ['leaf'] })],
  };
}

export function draftJobs(maker: TaskMaker, childJobId: number): JobDraft[] {
  const work = (key: string, options?: Work) => task(maker, key, options);
  return [
    { name: 'chain', tasks: chain(maker, 5) },
    { name: 'fan', tasks: fan(maker, 5) },
    { name: 'diamond', tasks: diamond(maker) },
    {
      name: 'each',
      tasks: [
        work('list'),
        {
          task_key: 'each',
          ...dependsOn(['list']),
          for_each_task: {
            inputs: '["a", "b", "c", "d", "e"]',
            concurrency: 3,
            task: work('item', { traits: draw(maker, ['plain', 'deaf', 'child', 'fails=1']) }),
          },
        },
        work('join', { after: ['each'], more: { run_if: 'ALL_DONE' } }),
      ],
    },
    {
      name: 'nested',
      tasks: [
        work('before'),
        {
          task_key: 'call',
          ...{ ...dependsOn(['before']), run_job_task: { job_id: childJobId } },
          ...{ max_retries: 1, min_retry_interval_millis: 100 },
        },
        work('after', { after: ['call'] }),
      ],
    },
    {
      name: 'moody',
      tasks: [
        work('once', { traits: 'fails=1', more: retries(2) }),
        work('never', { traits: 'fails=99', more: retries(1) }),
        work('tired', {
          seconds: foreverS,
          more: { timeout_seconds: 2, retry_on_timeout: true, ...retries(1) },
        }),
        work('slow', { seconds: foreverS, traits: 'deaf', more: { timeout_seconds: 3 } }),
        work('anyway', { after: ['never', 'tired', 'once'], more: { run_if: 'ALL_DONE' } }),
      ],
    },
    {
      name: 'patient',
      // Each outlives a lease: of a worker that is silent, what it began would still run when another gets it.
      tasks: ['p0', 'p1'].map((key) =>
        work(key, { seconds: 16, traits: draw(maker, ['deaf', 'child']), more: retries(2) }),
      ),
    },
    {
      name: 'stubborn',
      // One place: the others wait in the queue.
      max_concurrent_runs: 1,
      queue: { enabled: true },
      tasks: [
        work('deaf', { seconds: 2, traits: 'deaf,child' }),
        work('long', { seconds: 4, traits: 'child' }),
      ],
    },
  ];
}

/** A run of its own, drawn anew each time: each task waits for some of those before it. */
export function draftRun(maker: TaskMaker): { readonly run_name: string; readonly tasks: Task[] } {
  const { random } = maker;
  const tasks = Array.from({ length: random.between(1, 6) }, (_, index) => {
    const before = Array.from({ length: index }, (__, other) => `t${other}`);
    return task(maker, `t${index}`, {
      after: before.filter(() => random.chance(0.4)),
      traits: random.pick(['plain', 'plain', 'plain', 'deaf', 'child', 'deaf,child', 'fails=1']),
      more: random.chance(0.2) ? { ...retries(random.between(0, 2)), run_if: 'ALL_DONE' } : {},
    });
  });
  return { run_name: 'drawn', tasks };
}

function chain(maker: TaskMaker, length: number): Task[] {
  return Array.from({ length }, (_, index) =>
    task(maker, `c${index}`, { after: index === 0 ? [] : [`c${index - 1}`] }),
  );
}

function fan(maker: TaskMaker, width: number): Task[] {
  const blades = Array.from({ length: width }, (_, index) => `f${index}`);
  return [
    task(maker, 'root'),
    ...blades.map((key) => task(maker, key, { after: ['root'], traits: draw(maker, ['plain', 'child']) })),
    task(maker, 'join', { after: blades, more: { run_if: 'ALL_DONE' } }),
  ];
}

function diamond(maker: TaskMaker): Task[] {
  return [
    task(maker, 'top'),
    {
      task_key: 'gate',
      ...dependsOn(['top']),
      condition_task: { op: 'EQUAL_TO', left: draw(maker, ['a', 'b']), right: 'a' },
    },
    task(maker, 'yes', { after: [{ key: 'gate', outcome: 'true' }] }),
    task(maker, 'no', { after: [{ key: 'gate', outcome: 'false' }] }),
    task(maker, 'bottom', { after: ['yes', 'no'], more: { run_if: 'NONE_FAILED' } }),
  ];
}

function task({ random, pythonFile, diaryFile }: TaskMaker, key: string, options: Work = {}): Task {
  // Mostly short; some outlive a lease.
  const drawnS = random.chance(0.1) ? random.between(8, 14) : random.between(1, 30) / 10;
  const { seconds = drawnS, traits = 'plain', after = [], more = {} } = options;
  return {
    task_key: key,
    ...dependsOn(after),
    spark_python_task: {
      python_file: pythonFile,
      parameters: [
        ...[diaryFile, '{{task.run_id}}', `{{job.run_id}}/${key}`, '{{task.execution_count}}'],
        ...[String(seconds), traits],
      ],
    },
    ...retries(random.between(0, 3)),
    ...more,
  };
}

const retries = (count: number) => ({ max_retries: count, min_retry_interval_millis: 200 });

function dependsOn(after: NonNullable<Work['after']>): object {
  if (after.length === 0) return {};
  return {
    depends_on: after.map((edge) =>
      typeof edge === 'string' ? { task_key: edge } : { task_key: edge.key, outcome: edge.outcome },
    ),
  };
}

function draw({ random }: TaskMaker, traits: readonly string[]): string {
  return random.pick(traits);
}
