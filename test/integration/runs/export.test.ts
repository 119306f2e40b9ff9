import type { NotebookDocument } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runJob, taskOf } from './control.ts';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const book = { task_key: 'book', notebook_task: { notebook_path: '/Users/ada/flights' } };

const notebook: NotebookDocument = {
  version: 1,
  path: '/Users/ada/flights',
  cells: [
    {
      language: 'python',
      source: 'if 1 < 2: print("<b>")',
      state: 'succeeded',
      elapsed_ms: 1_230,
      outputs: [
        { kind: 'text', text: '<b>' },
        { kind: 'text', text: 'warned', stream: 'stderr' },
        { kind: 'html', html: '<script>alert("x")</script>' },
        { kind: 'image', mime: 'image/png', base64: 'AAAA' },
        {
          kind: 'table',
          columns: [{ name: 'n & m', type: 'int' }],
          rows: [[1], ['<i>']],
          truncated: true,
          note: 'Only the first 2 rows are kept',
        },
      ],
    },
    {
      language: 'sql',
      source: 'select',
      state: 'failed',
      title: 'The <last>',
      started_at_ms: 0,
      elapsed_ms: null,
      outputs: [{ kind: 'error', message: 'ParseError', trace: 'line 1 <here>' }],
    },
  ],
};

async function runBook() {
  const run = await runJob(engine, { tasks: [book] });
  const task = taskOf(run, 'book');
  const key = `attempts/${run.run_id}/${task.run_id}/notebook.json`;
  await engine.services.blobs.put(key, Buffer.from(JSON.stringify(notebook)));
  return { run, task };
}

test('the notebook of a task run is handed out as a page named like the notebook', async () => {
  const { run, task } = await runBook();

  const { views } = await engine.client.runsExport({ run_id: task.run_id });

  expect(views).toMatchObject([{ name: 'flights', type: 'NOTEBOOK' }]);
  const content = views[0]?.content ?? '';
  expect(content).toContain('if 1 &#60; 2: print(&#34;&#60;b&#62;&#34;)');
  expect(content).toContain('<pre>&#60;b&#62;</pre>');
  expect(content).toContain('<th title="int">n &#38; m</th>');
  expect(content).toContain('src="data:image/png;base64,AAAA"');
  expect(content).toContain('line 1 &#60;here&#62;');
  expect(content).toContain('<pre class="stderr">warned</pre>');
  expect(content).toContain('Only the first 2 rows are kept.');
  expect(content).toContain('<strong>The &#60;last&#62;</strong>');
  expect(content).toContain('<a href="#cell-2">Cell 2 failed</a>: ParseError');
  // A run with one task may be named instead.
  expect(await engine.client.runsExport({ run_id: run.run_id, views_to_export: 'ALL' })).toEqual({ views });
});

test('what a notebook printed cannot run as a script of the page', async () => {
  const { task } = await runBook();

  const { views } = await engine.client.runsExport({ run_id: task.run_id });

  expect(views[0]?.content).not.toContain('<script>');
  expect(views[0]?.content).toContain('<iframe sandbox=""');
});

test('there are no dashboards', async () => {
  const { task } = await runBook();

  const answer = await engine.client.runsExport({ run_id: task.run_id, views_to_export: 'DASHBOARDS' });

  expect(answer).toEqual({ views: [] });
});

test('a notebook that has not begun has nothing to hand out yet', async () => {
  const run = await runJob(engine, { tasks: [{ ...book, disabled: true }] });

  await expect(engine.client.runsExport({ run_id: run.run_id })).rejects.toMatchObject({
    code: 'INVALID_STATE',
    message: expect.stringContaining('it may not have begun'),
  });
});

test('a run of several tasks, a task that is no notebook, and a run that is not there are refused', async () => {
  const run = await runJob(engine, { tasks: [fakeTask('a'), fakeTask('b')] });
  const refused = (runId: number) =>
    engine.client.runsExport({ run_id: runId }).then(
      () => null,
      ({ code, message }) => ({ code, message }),
    );

  expect(await refused(run.run_id)).toEqual({
    code: 'INVALID_PARAMETER_VALUE',
    message:
      'Exporting runs with multiple tasks is not supported. Please export each individual task run instead.',
  });
  const id = taskOf(run, 'a').run_id;
  expect(await refused(id)).toEqual({
    code: 'INVALID_STATE',
    message: `Run ${id} ran no notebook: only runs of notebook tasks can be exported.`,
  });
  expect(await refused(999_999)).toEqual({
    code: 'INVALID_PARAMETER_VALUE',
    message: 'Run 999999 does not exist.',
  });
});
