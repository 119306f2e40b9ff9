import { useMutation } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { client } from '../../api/client.ts';
import { paths } from '../../paths.ts';
import { ActionButton } from '../../ui/ActionButton.tsx';

export function RunNowButton({
  jobId,
  parameters,
}: {
  jobId: number;
  parameters?: Readonly<Record<string, string>>;
}) {
  const navigate = useNavigate();
  const start = useMutation({
    mutationFn: () =>
      client.jobsRunNow({ job_id: jobId, ...(parameters && { job_parameters: { ...parameters } }) }),
    onSuccess: ({ run_id }) => navigate(paths.run(run_id)),
  });
  return (
    <>
      <ActionButton
        refusal={start.isPending ? 'The run is being started' : null}
        onClick={() => start.mutate()}
      >
        Run now
      </ActionButton>
      {start.error && (
        <span role="alert" className="inline-problem">
          {start.error.message}
        </span>
      )}
    </>
  );
}
