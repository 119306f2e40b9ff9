/** The iterations of a for-each: a page of a hundred at a time, all or those that failed, and one of them open. */
import type { RunDocument, RunTaskDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { queries } from '../../api/queries.ts';
import type { RunView } from '../../paths.ts';
import { Ago, Elapsed } from '../../ui/Moment.tsx';
import { hasEnded, hasFailed } from '../../ui/outcome.ts';
import { Missing } from '../../ui/Problem.tsx';
import { StateBadge } from '../../ui/StateBadge.tsx';
import { AttemptSelect } from './AttemptSelect.tsx';
import { CancelTask } from './CancelTask.tsx';
import { Failure } from './Failure.tsx';
import { LogView } from './LogView.tsx';
import { NotebookView } from './NotebookView.tsx';
import { TaskFacts } from './TaskFacts.tsx';
import { inputText, parseInputs, placeOf, runsCode, showsCells, sortIterations } from './work-text.ts';

/** As many as the API sends at once. */
const rowsShown = 100;
const inputCharsShown = 120;

type PathOf = (view: RunView) => string;

export function Iterations(props: { run: RunDocument; task: RunTaskDocument; pathOf: PathOf }) {
  const { run, task, pathOf } = props;
  const [search] = useSearchParams();
  const show = search.get('show') === 'failed' ? 'failed' : undefined;
  const page = search.get('page') ?? '';
  // The API has no filter: those that failed are picked from all of them.
  const asked = { page: show ? 'all' : page, refresh: !hasEnded(task.state) };
  const iterations = useQuery(queries.iterations(task.run_id, asked));
  const inputs = useMemo(() => parseInputs(task), [task]);
  const all = useMemo(() => sortIterations(iterations.data?.iterations ?? []), [iterations.data]);
  if (!iterations.data) return <Missing error={iterations.error} what="iterations" />;
  const { rows, next } = show ? pageOfFailed(all, page) : { rows: all, next: iterations.data.next };
  const open = all.find((each) => String(placeOf(each)) === search.get('iteration'));
  return (
    <>
      <Filter show={show} pathOf={pathOf} />
      {rows.length === 0 ? (
        <p className="dim">{show ? 'No iteration has failed.' : 'No iteration has begun.'}</p>
      ) : (
        <IterationTable
          rows={rows}
          sinceMs={task.start_time}
          open={open}
          inputs={inputs}
          linkTo={(iteration) => pathOf({ show, page: page || undefined, iteration })}
        />
      )}
      <Pages
        first={page === '' ? null : pathOf({ show })}
        next={next === undefined ? null : pathOf({ show, page: next })}
      />
      {open && (
        <OpenIteration
          key={open.run_id}
          run={run}
          forEach={task}
          latest={open}
          input={inputText(open, inputs)}
        />
      )}
    </>
  );
}

/** Its page is the number of rows before it. */
function pageOfFailed(all: readonly RunTaskDocument[], page: string) {
  const failed = all.filter(({ state }) => hasFailed(state));
  const start = Number(page) || 0;
  const end = start + rowsShown;
  return { rows: failed.slice(start, end), next: failed.length > end ? String(end) : undefined };
}

function Filter({ show, pathOf }: { show: 'failed' | undefined; pathOf: PathOf }) {
  return (
    <nav aria-label="Which iterations" className="filters">
      <Link to={pathOf({})} aria-current={show ? undefined : 'true'}>
        All
      </Link>
      <Link to={pathOf({ show: 'failed' })} aria-current={show ? 'true' : undefined}>
        Failed
      </Link>
    </nav>
  );
}

function IterationTable(props: {
  readonly rows: readonly RunTaskDocument[];
  readonly open: RunTaskDocument | undefined;
  readonly inputs: readonly unknown[];
  /** When the for-each began: what is older was not run again by a repair. */
  readonly sinceMs: number;
  readonly linkTo: (iteration: number) => string;
}) {
  return (
    <section className="iterations" aria-label="Iterations">
      <table>
        <thead>
          <tr>
            <th scope="col">Iteration</th>
            <th scope="col">Input</th>
            <th scope="col">State</th>
            <th scope="col">Attempts</th>
            <th scope="col">Started</th>
            <th scope="col">Duration</th>
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={row.run_id} aria-current={props.open === row ? 'true' : undefined}>
              <th scope="row">
                <Link to={props.linkTo(placeOf(row))}>{placeOf(row)}</Link>
              </th>
              <td>
                <code>{shorten(inputText(row, props.inputs))}</code>
              </td>
              <td>
                <StateBadge state={row.state} />
                {row.start_time > 0 && row.start_time < props.sinceMs && (
                  <span className="dim"> before this repair</span>
                )}
              </td>
              <td>{row.attempt_number + 1}</td>
              <td>
                <Ago epochMs={row.start_time} />
              </td>
              <td>
                <Elapsed startMs={row.start_time} endMs={row.end_time} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** An input may be a document of its own; the open iteration shows all of it. */
function shorten(text: string): string {
  return text.length > inputCharsShown ? `${text.slice(0, inputCharsShown)}…` : text;
}

function Pages({ first, next }: { first: string | null; next: string | null }) {
  if (!first && !next) return null;
  return (
    <nav aria-label="Pages of iterations" className="pages">
      {first && <Link to={first}>First iterations</Link>}
      {next && <Link to={next}>Next iterations</Link>}
    </nav>
  );
}

/** Input, error and log of one iteration; its earlier attempts are read only where there are some. */
function OpenIteration(props: {
  readonly run: RunDocument;
  readonly forEach: RunTaskDocument;
  readonly latest: RunTaskDocument;
  readonly input: string;
}) {
  const { run, forEach, latest, input } = props;
  const earlier = useQuery({
    ...queries.iterationAttempts(forEach.run_id, placeOf(latest)),
    enabled: latest.attempt_number > 0,
  });
  const attempts = [...(earlier.data ?? []).filter(({ run_id }) => run_id < latest.run_id), latest];
  const [chosen, setChosen] = useState<number | null>(null);
  const place = chosen ?? attempts.length - 1;
  const task = attempts[place] ?? latest;
  return (
    <section aria-label={`Iteration ${placeOf(latest)}`} className="iteration">
      <header className="panel-header">
        <h3>Iteration {placeOf(latest)}</h3>
        <StateBadge state={task.state} />
        <code className="iteration-input">{input}</code>
        <AttemptSelect attempts={attempts} place={place} onChange={setChosen} />
        {!hasEnded(forEach.state) && (
          <CancelTask
            task={task}
            label="Cancel iteration"
            question={`Cancel only iteration ${placeOf(latest)}? The others go on.`}
          />
        )}
      </header>
      <TaskFacts task={task} />
      <Failure task={task} />
      {showsCells(task) && <NotebookView runId={run.run_id} task={task} />}
      {runsCode(task) && <LogView key={task.run_id} runId={run.run_id} task={task} />}
    </section>
  );
}
