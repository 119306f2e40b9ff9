import type { RunTaskDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { queries } from '../../api/queries.ts';
import { hasEnded } from '../../ui/outcome.ts';

/** The exception first: it is what people came for. */
export function Failure({ task }: { task: RunTaskDocument }) {
  const isBad = hasEnded(task.state) && ['FAILED', 'TIMEDOUT'].includes(task.state.result_state ?? '');
  const output = useQuery({ ...queries.output(task.run_id, { refresh: false }), enabled: isBad });
  if (!isBad) return null;
  const message = output.data?.error ?? task.state.state_message;
  return (
    <div className="problem" role="alert">
      <strong>{message}</strong>
      {output.data?.error_trace && (
        <details>
          <summary>Traceback</summary>
          <pre>{output.data.error_trace}</pre>
        </details>
      )}
    </div>
  );
}
