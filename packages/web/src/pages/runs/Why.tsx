/** Why a run or a task waits, or did not run: the sentence that the server makes from what it recorded. */
import type { RunDocument, RunTaskDocument, WhyFact } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { queries } from '../../api/queries.ts';
import { useSilentWorkers } from '../../api/use-silent-workers.ts';
import { hasEnded, isSkipped, isWaiting } from '../../ui/outcome.ts';

const refreshMs = 3_000;

/** Also while the task is at work on a worker that is not heard of: what follows then. */
export function TaskWhy({ runId, task }: { runId: number; task: RunTaskDocument }) {
  const silent = useSilentWorkers([task]);
  const workerId = task.headrace?.worker?.worker_id;
  const isSilent = workerId !== undefined && silent.has(workerId) && !hasEnded(task.state);
  return <Why runId={runId} taskKey={task.task_key} state={task.state} isSilent={isSilent} />;
}

export function Why(props: {
  readonly runId: number;
  readonly taskKey?: string;
  readonly state: RunDocument['state'];
  readonly isSilent?: boolean;
}) {
  const { runId, taskKey, state, isSilent = false } = props;
  const isAsked = isSilent || isWaiting(state) || isSkipped(state);
  const why = useQuery({
    ...queries.why({ runId, taskKey, state: `${state.life_cycle_state} ${state.result_state ?? ''}` }),
    enabled: isAsked,
    refetchInterval: isSilent || isWaiting(state) ? refreshMs : false,
  });
  if (!isAsked) return null;
  // A reason is an extra: without one the message of the state must do.
  const sentence = why.data?.sentence ?? (why.error ? state.state_message : undefined);
  if (!sentence) return null;
  const facts = why.data?.facts ?? [];
  return (
    <section aria-label="Why" className={isSilent ? 'why why-silent' : 'why'}>
      <p>
        <strong>{isSilent ? 'Worker silent.' : 'Why?'}</strong> {sentence}
      </p>
      {facts.length > 0 && (
        <details>
          <summary>What this is made from</summary>
          <ul>
            {facts.map((fact) => (
              <li key={JSON.stringify(fact)}>
                <code>{factText(fact)}</code>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function factText({ kind, ...fields }: WhyFact): string {
  const words = Object.entries(fields).map(([name, value]) => {
    return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  return [kind, ...words].join(' ');
}
