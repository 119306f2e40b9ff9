/** What a fake attempt does, told by its task: a parameter `fake` with a behaviour as JSON; without it, it succeeds. */
import type { JsonValue } from '@headrace/core';
import type { AttemptDocument, ResultDocument } from '../../protocol.ts';

export type FakeBehaviour =
  | ({ readonly kind: 'succeed'; readonly exitValue?: string } & FakeCourse)
  | ({
      readonly kind: 'fail';
      readonly failure?: Partial<NonNullable<ResultDocument['failure']>>;
    } & FakeCourse)
  | ({ readonly kind: 'exit'; readonly code: number } & FakeCourse)
  | ({ readonly kind: 'signal'; readonly signal: number } & FakeCourse)
  /** Runs until it is stopped. */
  | ({ readonly kind: 'hang' } & FakeCourse)
  | ({ readonly kind: 'host_dies' } & FakeCourse);

interface FakeCourse {
  readonly afterMs?: number;
  readonly output?: string;
  readonly taskValues?: Readonly<Record<string, JsonValue>>;
}

export type FakeScript = (document: AttemptDocument) => FakeBehaviour;

export const scriptFromParameters: FakeScript = ({ task, task_key }) => {
  // Statements wait on it; a test that wants answers asks for them itself, with the endpoint's token.
  if (task.kind === 'sql_endpoint') return { kind: 'hang' };
  const text = fakeParameter(task);
  if (text === undefined) return { kind: 'succeed', output: `${task_key} done\n` };
  // A test or a developer wrote it; a mistake shows at once.
  return JSON.parse(text) as FakeBehaviour;
};

function fakeParameter(task: AttemptDocument['task']): string | undefined {
  switch (task.kind) {
    case 'notebook':
    case 'sql':
      return task.parameters.fake;
    case 'python_wheel':
      return task.named_parameters.fake ?? positional(task.parameters);
    case 'spark_python':
    case 'spark_jar':
    case 'spark_submit':
      return positional(task.parameters);
  }
}

function positional(parameters: readonly string[]): string | undefined {
  return parameters.find((parameter) => parameter.startsWith('--fake='))?.slice('--fake='.length);
}
