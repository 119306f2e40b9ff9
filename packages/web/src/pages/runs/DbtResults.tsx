import type { RunTaskDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { queries } from '../../api/queries.ts';
import { formatDuration } from '../../ui/format.ts';
import { hasEnded } from '../../ui/outcome.ts';
import { Missing } from '../../ui/Problem.tsx';
import { type DbtNode, nameOfNode, outcomeOfNode, summaryOf } from './dbt-nodes.ts';

/** What each command of a dbt task did to the nodes of its project. */
export function DbtResults({ task }: { task: RunTaskDocument }) {
  const ended = hasEnded(task.state);
  const output = useQuery(queries.output(task.run_id, { refresh: !ended }));
  if (!output.data) return <Missing error={output.error} what="results" />;
  const { artifacts_link: link, headrace } = output.data.dbt_output ?? {};
  const commands = headrace?.commands ?? [];
  return (
    <>
      {commands.length === 0 && (
        <p className="dim">{ended ? 'No command came to its end.' : 'No command has come to its end yet.'}</p>
      )}
      {commands.map(({ command, success, results }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: commands are only ever appended, and may stand twice
        <section key={at} aria-label={command} className="dbt-command">
          <h3>
            <span className={`badge tone-${success ? 'good' : 'bad'}`}>
              <span aria-hidden="true">{success ? '✓' : '✕'}</span> {success ? 'Succeeded' : 'Failed'}
            </span>{' '}
            <code>{command}</code> <span className="dim">{summaryOf(results)}</span>
          </h3>
          {results.length > 0 && <NodeTable nodes={results} />}
        </section>
      ))}
      {link !== undefined && (
        <p>
          <a href={new URL(link).pathname} download>
            Download dbt’s artifacts
          </a>{' '}
          <span className="dim">manifest.json, run_results.json, compiled SQL and logs</span>
        </p>
      )}
    </>
  );
}

function NodeTable({ nodes }: { nodes: readonly DbtNode[] }) {
  return (
    <div className="output-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Kind</th>
            <th scope="col">Status</th>
            <th scope="col" className="number">
              Time
            </th>
            <th scope="col">Message</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <NodeRow key={node.unique_id} node={node} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NodeRow({ node }: { node: DbtNode }) {
  const { kind, name } = nameOfNode(node.unique_id);
  const { label, sign, tone } = outcomeOfNode(node);
  const { execution_time: seconds, message = '' } = node;
  return (
    <tr>
      <th scope="row" title={node.unique_id}>
        {name}
      </th>
      <td>{kind}</td>
      <td>
        <span className={`badge tone-${tone}`}>
          <span aria-hidden="true">{sign}</span> {label}
        </span>
      </td>
      <td className="number">{seconds === undefined ? '' : formatDuration(seconds * 1_000)}</td>
      <td className="dbt-message">{message}</td>
    </tr>
  );
}
