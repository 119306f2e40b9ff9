import type { RunTaskDocument } from '@headrace/api';
import { useMutation } from '@tanstack/react-query';
import { client } from '../../api/client.ts';
import { ActionButton } from '../../ui/ActionButton.tsx';
import { refusalToCancelTask } from '../../ui/outcome.ts';

/** Stops one task run alone, after a question. */
export function CancelTask(props: {
  readonly task: RunTaskDocument;
  readonly label: string;
  readonly question: string;
}) {
  const { task, label, question } = props;
  const cancel = useMutation({ mutationFn: () => client.runsCancel({ run_id: task.run_id }) });
  return (
    <span className="actions">
      {cancel.error && (
        <span role="alert" className="inline-problem">
          {cancel.error.message}
        </span>
      )}
      <ActionButton
        refusal={cancel.isPending ? 'The server is being asked' : refusalToCancelTask(task.state)}
        onClick={() => window.confirm(question) && cancel.mutate()}
      >
        {label}
      </ActionButton>
    </span>
  );
}
