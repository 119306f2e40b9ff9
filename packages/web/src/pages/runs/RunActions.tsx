/** Cancel, repair, delete: each asks first, and says why where it cannot be done. */
import type { RunDocument } from '@headrace/api';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { client, queryClient } from '../../api/client.ts';
import { queries } from '../../api/queries.ts';
import { paths } from '../../paths.ts';
import { ActionButton } from '../../ui/ActionButton.tsx';
import { refusalToCancel, refusalToDelete, refusalToRepair } from '../../ui/outcome.ts';
import { RepairDialog } from './RepairDialog.tsx';

export function RunActions({ run }: { run: RunDocument }) {
  const [isRepairing, setRepairing] = useState(false);
  const navigate = useNavigate();
  const cancel = useMutation({ mutationFn: () => client.runsCancel({ run_id: run.run_id }) });
  const remove = useMutation({
    mutationFn: () => client.runsDelete({ run_id: run.run_id }),
    onSuccess: async () => {
      await navigate(run.job_id ? paths.job(run.job_id) : paths.runs(), { replace: true });
      queryClient.removeQueries(queries.run(run.run_id));
    },
  });
  const error = cancel.error ?? remove.error;
  const busy = cancel.isPending || remove.isPending ? 'The server is being asked' : null;
  return (
    <span className="actions">
      {error && (
        <span role="alert" className="inline-problem">
          {error.message}
        </span>
      )}
      <ActionButton refusal={busy ?? refusalToRepair(run.state)} onClick={() => setRepairing(true)}>
        Repair run
      </ActionButton>
      <ActionButton
        refusal={busy ?? refusalToCancel(run.state)}
        onClick={() =>
          window.confirm('Cancel this run? Its tasks are stopped; nothing further starts.') && cancel.mutate()
        }
      >
        Cancel run
      </ActionButton>
      <ActionButton
        refusal={busy ?? refusalToDelete(run.state)}
        onClick={() =>
          window.confirm('Delete this run with its logs and outputs? This cannot be undone.') &&
          remove.mutate()
        }
      >
        Delete run
      </ActionButton>
      {isRepairing && <RepairDialog run={run} onClose={() => setRepairing(false)} />}
    </span>
  );
}
