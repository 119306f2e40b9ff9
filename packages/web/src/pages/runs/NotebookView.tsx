import type { NotebookCell, NotebookOutput, RunTaskDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { problemOf } from '../../api/client.ts';
import { queries } from '../../api/queries.ts';
import { formatDuration, formatTime } from '../../ui/format.ts';
import { hasEnded } from '../../ui/outcome.ts';
import { Missing } from '../../ui/Problem.tsx';
import { sourceToShow } from './cell-source.ts';
import { Markdown } from './Markdown.tsx';

export function NotebookView({ runId, task }: { runId: number; task: RunTaskDocument }) {
  const ended = hasEnded(task.state);
  const notebook = useQuery(queries.notebook(runId, task.run_id, { refresh: !ended }));
  if (!notebook.data) {
    const isUnknown = notebook.error !== null && problemOf(notebook.error) === 'not_found';
    if (!isUnknown)
      return <Missing error={notebook.error} what={task.sql_task ? 'statements' : 'notebook'} />;
    const what = task.sql_task ? 'No statement' : 'No cell';
    return <p className="dim">{ended ? `${what} was run.` : `${what} has begun.`}</p>;
  }
  return (
    <>
      <FailedCell cells={notebook.data.cells} word={task.sql_task ? 'Statement' : 'Cell'} />
      <ol className="notebook">
        {notebook.data.cells.map((cell, at) => (
          // Cells never move: their position is their identity.
          // biome-ignore lint/suspicious/noArrayIndexKey: see above
          <li key={at} id={cellId(at)}>
            <Cell cell={cell} />
          </li>
        ))}
      </ol>
    </>
  );
}

function cellId(at: number): string {
  return `cell-${at + 1}`;
}

/** What somebody looks for first stands first. */
function FailedCell({ cells, word }: { cells: readonly NotebookCell[]; word: string }) {
  const at = cells.findIndex(({ state }) => state === 'failed');
  const error = cells[at]?.outputs.findLast((output) => output.kind === 'error');
  if (error?.kind !== 'error') return null;
  return (
    <p className="problem">
      <a href={`#${cellId(at)}`}>
        {word} {at + 1} failed
      </a>
      : {error.message}
    </p>
  );
}

const cellSigns = { waiting: '○', running: '▶', succeeded: '✓', failed: '✕', skipped: '–' } as const;

const cellWords = {
  waiting: 'waiting',
  running: 'running',
  succeeded: 'succeeded',
  failed: 'failed',
  skipped: 'not run',
} as const;

function Cell({ cell }: { cell: NotebookCell }) {
  if (cell.language === 'markdown') return <Markdown source={sourceToShow(cell)} />;
  return (
    <div className={`cell cell-${cell.state}`}>
      <div className="cell-head">
        <span title={cellWords[cell.state]}>
          <span aria-hidden="true">{cellSigns[cell.state]}</span>{' '}
          <span className="hidden">{cellWords[cell.state]}</span>
        </span>
        {cell.title !== undefined && <strong>{cell.title}</strong>}
        {cell.language !== 'python' && <span className="cell-language">{cell.language}</span>}
        {cell.elapsed_ms !== null && (
          <span
            className="dim"
            title={cell.started_at_ms ? `begun ${formatTime(cell.started_at_ms)}` : undefined}
          >
            {formatDuration(cell.elapsed_ms)}
          </span>
        )}
      </div>
      <pre className="code">{sourceToShow(cell)}</pre>
      {cell.outputs.map((output, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: outputs are only ever appended
        <Output key={at} output={output} />
      ))}
    </div>
  );
}

function Output({ output }: { output: NotebookOutput }) {
  switch (output.kind) {
    case 'text':
      return (
        <pre className={output.stream === 'stderr' ? 'output output-stderr' : 'output'}>{output.text}</pre>
      );
    case 'error':
      return (
        <div className="problem">
          <strong>{output.message}</strong>
          <pre>{output.trace}</pre>
        </div>
      );
    case 'image':
      return (
        <img
          className="output-image"
          src={`data:${output.mime};base64,${output.base64}`}
          alt="Output of this cell"
        />
      );
    case 'html':
      // No scripts, no forms, no access to this page: a notebook may print anything.
      return (
        <iframe className="output-html" sandbox="" srcDoc={output.html} title="HTML output of this cell" />
      );
    case 'table':
      return <TableOutput output={output} />;
  }
}

function TableOutput({ output }: { output: Extract<NotebookOutput, { kind: 'table' }> }) {
  return (
    <div className="output-table">
      <table>
        <thead>
          <tr>
            {output.columns.map((column, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: two columns of a result may have one name
              <th key={at} scope="col" title={column.type} className={classOf(column.type)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {output.rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity of their own
            <tr key={at}>
              {row.map((value, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: nor have values
                <td key={column} className={classOf(output.columns[column]?.type ?? '')}>
                  {value === null ? (
                    <span className="dim">null</span>
                  ) : typeof value === 'string' ? (
                    value
                  ) : (
                    JSON.stringify(value)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {output.truncated && (
        <p className="dim">{output.note ?? `Only the first ${output.rows.length} rows are kept`}.</p>
      )}
    </div>
  );
}

/** Numbers stand under each other; Spark's names of types, and those of pandas. */
function classOf(type: string): string | undefined {
  return /^u?(?:tiny|small|big)?int|^(?:long|short|byte|float|double|decimal)/i.test(type)
    ? 'number'
    : undefined;
}
