/** Notebooks as they ran: each kind of cell and output once. */
import type { NotebookCell, NotebookDocument, NotebookOutput } from '@headrace/api';

const folder = '/Workspace/Users/ada@example.org/.bundle/flights/dev/files/notebooks';

export function publishNotebook(): NotebookDocument {
  return {
    version: 1,
    path: `${folder}/publish`,
    cells: [
      markdown(
        '# The day in numbers\nWhat the run did with the feed, then how **late** each airline was.\n\n' +
          '- rows come from `dev.flights.silver`\n- delays are in *minutes*\n\n' +
          'More in [the README](https://example.org/flights "flights"), not in [this](javascript:alert(1)).',
      ),
      done('python', 'print(f"{run_date}: {files} files with {rows} rows")', 41, [
        { kind: 'text', text: '2013-01-01: 9 files with 873 rows; 12 quarantined, 6 duplicates, 4 late\n' },
      ]),
      done(
        'sql',
        '%sql\nSELECT airline, flights, cancelled, arr_delay_average\nFROM dev.flights.gold_delays',
        812,
        [delaysTable],
      ),
      done('python', 'axes.barh(shown["airline"], shown["arr_delay_average"])\nplt.show()', 1_240, [
        { kind: 'image', mime: 'image/svg+xml', base64: Buffer.from(chart()).toString('base64') },
      ]),
      done('python', 'displayHTML(summary)', 3, [
        {
          kind: 'html',
          html: '<h3>Summary</h3><p id="text">842 flights</p><script>document.getElementById("text").textContent = "a script ran"</script>',
        },
      ]),
    ],
  };
}

export function bronzeNotebook(): NotebookDocument {
  return {
    version: 1,
    path: `${folder}/bronze`,
    cells: [
      markdown('# Bronze\nEvery row that landed on the run date, as text, with the file it came from.'),
      done('python', 'print(f"{len(headers)} files, layouts of {sizes} columns")', 96, [
        { kind: 'text', text: '9 files, layouts of [19, 20] columns\n' },
      ]),
      done('sql', '%sql\nSELECT source_file, count(*) AS rows\nFROM landed\nGROUP BY source_file', 655, [
        {
          kind: 'table',
          columns: [
            { name: 'source_file', type: 'string' },
            { name: 'rows', type: 'bigint' },
          ],
          rows: Array.from({ length: 9 }, (_, at) => [`part-0000${at}.csv`, 97]),
          truncated: false,
        },
      ]),
    ],
  };
}

export function brokenNotebook(): NotebookDocument {
  return {
    version: 1,
    path: `${folder}/broken`,
    cells: [
      markdown('## Numbers that do not divide'),
      {
        ...done('python', 'ratio = cancelled / flights', 2, []),
        state: 'failed',
        title: 'Share of cancelled flights',
        outputs: [
          { kind: 'text', text: 'no flights on this day\n', stream: 'stderr' },
          {
            kind: 'error',
            message: 'ZeroDivisionError: division by zero',
            trace:
              'Traceback (most recent call last):\n  File "broken", cell 2, line 1\n    ratio = cancelled / flights\nZeroDivisionError: division by zero',
          },
        ],
      },
      { ...done('python', 'print(ratio)', 0, []), state: 'skipped', elapsed_ms: null },
    ],
  };
}

export function alertNotebook(): NotebookDocument {
  return {
    version: 1,
    path: `${folder}/alert`,
    cells: [
      markdown('Runs only when a task has failed, and says which, and why as far as it is known.'),
      done('python', 'for task in failed:\n    print(task, cause)', 18, [
        { kind: 'text', text: 'task silver ended failed: 31 % of the rows are dirty, at most 5 % may be\n' },
      ]),
    ],
  };
}

function markdown(source: string): NotebookCell {
  return {
    language: 'markdown',
    source: `%md\n${source}`,
    state: 'succeeded',
    elapsed_ms: null,
    outputs: [],
  };
}

function done(
  language: 'python' | 'sql',
  source: string,
  elapsedMs: number,
  outputs: NotebookOutput[],
): NotebookCell {
  return { language, source, state: 'succeeded', elapsed_ms: elapsedMs, outputs };
}

const delays = [
  ['United Air Lines Inc.', 165, 2, 10.03],
  ['JetBlue Airways', 156, 0, 8.12],
  ['ExpressJet Airlines Inc.', 121, 4, 21.87],
  ['Delta Air Lines Inc.', 112, 0, -3.36],
  ['American Airlines Inc.', 94, 3, 6.35],
  ['Hawaiian Airlines Inc.', 1, 0, null],
] as const;

const delaysTable: NotebookOutput = {
  kind: 'table',
  columns: [
    { name: 'airline', type: 'string' },
    { name: 'flights', type: 'bigint' },
    { name: 'cancelled', type: 'bigint' },
    { name: 'arr_delay_average', type: 'double' },
  ],
  rows: delays.map((row) => [...row]),
  truncated: true,
};

function chart(): string {
  const bars = delays.map(([airline, , , delay], at) => {
    const width = Math.abs(delay ?? 0) * 12;
    const colour = (delay ?? 0) > 0 ? '#b5472f' : '#2f7f6b';
    return (
      `<text x="4" y="${at * 26 + 19}" font-size="13">${airline}</text>` +
      `<rect x="190" y="${at * 26 + 6}" width="${width}" height="18" fill="${colour}"/>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="520" height="170" font-family="sans-serif">${bars.join('')}</svg>`;
}
