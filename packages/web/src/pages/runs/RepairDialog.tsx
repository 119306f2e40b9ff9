/** Which tasks of a run are to run again: a choice on the left, what would come of it on the right. */
import type { RepairPreviewTask, RunDocument } from '@headrace/api';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { client, queryClient } from '../../api/client.ts';
import { latestAttempts } from '../../api/merge-run-event.ts';
import { queries, type RepairRequest } from '../../api/queries.ts';
import { paths } from '../../paths.ts';
import { ActionButton } from '../../ui/ActionButton.tsx';
import { hasEnded, hasFailed, outcomeOf } from '../../ui/outcome.ts';
import { latestRepairId } from './generations.ts';

interface Choice {
  readonly which: 'failed' | 'tasks';
  readonly tasks: readonly string[];
  readonly withDependents: boolean;
  readonly definition: 'current' | 'original';
  /** Only those that were changed. */
  readonly parameters: Readonly<Record<string, string>>;
}

export function RepairDialog({ run, onClose }: { run: RunDocument; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const navigate = useNavigate();
  const hasBad = latestAttempts(run.tasks ?? []).some(({ state }) => hasFailed(state));
  const [choice, setChoice] = useState<Choice>({
    which: hasBad ? 'failed' : 'tasks',
    tasks: [],
    withDependents: false,
    definition: 'current',
    parameters: {},
  });
  const request = toRequest(run, choice);
  const isChosen = choice.which === 'failed' || choice.tasks.length > 0;
  const preview = useQuery({ ...queries.repairPreview(request), enabled: isChosen });
  const repair = useMutation({
    mutationFn: () => client.runsRepair(request),
    onSuccess: async () => {
      dialog.current?.close();
      await queryClient.invalidateQueries(queries.run(run.run_id));
      await navigate(paths.run(run.run_id));
    },
  });
  const refusal = refusalOf({ isChosen, isPending: repair.isPending, preview });
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="repair-title" onClose={onClose}>
      <h2 id="repair-title">Repair run {run.run_id}</h2>
      <div className="repair">
        <RepairForm run={run} choice={choice} onChange={setChoice} />
        <section aria-label="Preview" className="repair-preview">
          <h3>What would happen</h3>
          {!isChosen && <p className="dim">Choose the tasks that are to run again.</p>}
          {isChosen && preview.error && (
            <p role="alert" className="problem">
              {preview.error.message}
            </p>
          )}
          {isChosen && !preview.error && preview.data && <Preview tasks={preview.data.tasks} />}
        </section>
      </div>
      <footer className="dialog-actions">
        {repair.error && (
          <span role="alert" className="inline-problem">
            {repair.error.message}
          </span>
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
        <ActionButton refusal={refusal} onClick={() => repair.mutate()}>
          Run these again
        </ActionButton>
      </footer>
    </dialog>
  );
}

function toRequest(run: RunDocument, choice: Choice): RepairRequest {
  const { which, tasks, withDependents, definition, parameters } = choice;
  const last = latestRepairId(run);
  return {
    run_id: run.run_id,
    ...(which === 'failed' ? { rerun_all_failed_tasks: true } : { rerun_tasks: [...tasks] }),
    rerun_dependent_tasks: withDependents,
    ...(last !== undefined && { latest_repair_id: last }),
    ...(Object.keys(parameters).length > 0 && { job_parameters: { ...parameters } }),
    headrace: { definition, while_active: !hasEnded(run.state) },
  };
}

function refusalOf(at: {
  readonly isChosen: boolean;
  readonly isPending: boolean;
  readonly preview: { readonly error: Error | null; readonly isFetching: boolean; readonly data: unknown };
}): string | null {
  if (!at.isChosen) return 'Choose a task first';
  if (at.isPending) return 'The server is being asked';
  if (at.preview.error) return at.preview.error.message;
  return at.preview.data === undefined || at.preview.isFetching ? 'The preview is being made' : null;
}

function RepairForm(props: { run: RunDocument; choice: Choice; onChange: (choice: Choice) => void }) {
  const { run, choice, onChange } = props;
  const change = (part: Partial<Choice>) => onChange({ ...choice, ...part });
  return (
    <form className="repair-form" onSubmit={(event) => event.preventDefault()}>
      {!hasEnded(run.state) && (
        <p className="notice">
          The run is active. What is at work goes on; only tasks that have ended can be chosen.
        </p>
      )}
      <TaskChoice run={run} choice={choice} change={change} />
      <fieldset>
        <legend>With the tasks as</legend>
        {(['current', 'original'] as const).map((definition) => (
          <label key={definition} className="repair-choice">
            <input
              type="radio"
              name="definition"
              checked={choice.definition === definition}
              onChange={() => change({ definition })}
            />
            {definition === 'current' ? 'the job has them now' : 'this run began with them'}
          </label>
        ))}
      </fieldset>
      <ParameterFields
        run={run}
        values={choice.parameters}
        onChange={(parameters) => change({ parameters })}
      />
    </form>
  );
}

function TaskChoice(props: { run: RunDocument; choice: Choice; change: (part: Partial<Choice>) => void }) {
  const { run, choice, change } = props;
  const toggle = (key: string, isOn: boolean) =>
    change({ tasks: isOn ? [...choice.tasks, key] : choice.tasks.filter((each) => each !== key) });
  return (
    <fieldset>
      <legend>Run again</legend>
      <label className="repair-choice">
        <input
          type="radio"
          name="which"
          checked={choice.which === 'failed'}
          onChange={() => change({ which: 'failed' })}
        />
        everything that failed, and what was skipped for it
      </label>
      <label className="repair-choice">
        <input
          type="radio"
          name="which"
          checked={choice.which === 'tasks'}
          onChange={() => change({ which: 'tasks' })}
        />
        these tasks
      </label>
      {choice.which === 'tasks' && (
        <div className="repair-tasks">
          {latestAttempts(run.tasks ?? []).map(({ task_key: key, state }) => (
            <label key={key} className="repair-choice">
              <input
                type="checkbox"
                checked={choice.tasks.includes(key)}
                onChange={(event) => toggle(key, event.target.checked)}
              />
              {key} <span className="dim">{outcomeOf(state).label}</span>
            </label>
          ))}
        </div>
      )}
      <label className="repair-choice">
        <input
          type="checkbox"
          checked={choice.withDependents}
          onChange={(event) => change({ withDependents: event.target.checked })}
        />
        also every task that depends on them
      </label>
    </fieldset>
  );
}

/** A value that is put back to what the run had is not sent. */
function ParameterFields(props: {
  readonly run: RunDocument;
  readonly values: Choice['parameters'];
  readonly onChange: (values: Choice['parameters']) => void;
}) {
  const parameters = props.run.job_parameters ?? [];
  if (parameters.length === 0) return null;
  const set = (name: string, value: string, before: string) => {
    const { [name]: _former, ...others } = props.values;
    props.onChange(value === before ? others : { ...others, [name]: value });
  };
  return (
    <fieldset>
      <legend>Parameters</legend>
      <div className="parameters">
        {parameters.map(({ name, value, default: fallback = '' }) => (
          <label key={name}>
            {name}
            <input
              value={props.values[name] ?? value ?? fallback}
              onChange={(event) => set(name, event.target.value, value ?? fallback)}
            />
          </label>
        ))}
      </div>
    </fieldset>
  );
}

const actions = {
  rerun: { sign: '↻', label: 'Runs again' },
  reuse: { sign: '✓', label: 'Result stands' },
  skip: { sign: '–', label: 'Skipped' },
} as const;

function Preview({ tasks }: { tasks: readonly RepairPreviewTask[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Task</th>
          <th scope="col">In the repair</th>
        </tr>
      </thead>
      <tbody>
        {tasks.map(({ task_key, action, iterations }) => (
          <tr key={task_key} className={`repair-${action}`}>
            <th scope="row">{task_key}</th>
            <td>
              <span aria-hidden="true">{actions[action].sign}</span> {actions[action].label}
              {iterations && iterations.reuse > 0 && (
                <span className="dim">
                  {' '}
                  ({iterations.reuse} of {iterations.total} iterations stand)
                </span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
