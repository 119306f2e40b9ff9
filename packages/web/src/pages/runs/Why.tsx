/** Why a run or a task waits, or did not run: the sentence that the server makes from what it recorded. */
import type { RunDocument, WhyFact } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { queries } from '../../api/queries.ts';
import { isSkipped, isWaiting } from '../../ui/outcome.ts';

const refreshMs = 3_000;

export function Why(props: { runId: number; taskKey?: string; state: RunDocument['state'] }) {
  const { runId, taskKey, state } = props;
  const isAsked = isWaiting(state) || isSkipped(state);
  const why = useQuery({
    ...queries.why({ runId, taskKey, state: `${state.life_cycle_state} ${state.result_state ?? ''}` }),
    enabled: isAsked,
    refetchInterval: isWaiting(state) ? refreshMs : false,
  });
  if (!isAsked) return null;
  // A reason is an extra: without one the message of the state must do.
  const sentence = why.data?.sentence ?? (why.error ? state.state_message : undefined);
  if (!sentence) return null;
  const facts = why.data?.facts ?? [];
  return (
    <section aria-label="Why" className="why">
      <p>
        <strong>Why?</strong> {sentence}
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
