/** A notebook as it ran, as one page of HTML that needs nothing else. What users wrote or printed stays text. */
import type { NotebookCell, NotebookDocument, NotebookOutput } from '@headrace/api';
import { assertNever } from '@headrace/core';

export function toNotebookHtml(notebook: NotebookDocument, name: string): string {
  const cells = notebook.cells.map(toCell).join('\n');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(name)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(name)}</h1>
<p class="path">${escapeHtml(notebook.path)}</p>
${toFailure(notebook)}
${cells}
</body>
</html>
`;
}

/** The page may be long, and the failure is what somebody looks for. */
function toFailure({ cells }: NotebookDocument): string {
  const at = cells.findIndex(({ state }) => state === 'failed');
  const error = cells[at]?.outputs.findLast((output) => output.kind === 'error');
  if (error?.kind !== 'error') return '';
  return `<p class="error"><a href="#cell-${at + 1}">Cell ${at + 1} failed</a>: ${escapeHtml(error.message)}</p>`;
}

const style = `
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; }
pre { overflow: auto; margin: 0; padding: .5rem; white-space: pre-wrap; }
table { border-collapse: collapse; } td, th { border: 1px solid #ccc; padding: .2rem .5rem; text-align: left; }
img { max-width: 100%; } iframe { border: 0; width: 100%; height: 24rem; }
.cell { border: 1px solid #ccc; margin: 1rem 0; } .source { background: #f5f5f5; }
.about, .path { color: #666; font-size: 12px; margin: 0; padding: .2rem .5rem; } .error { background: #fff0f0; }
.stderr { border-left: 3px solid #c77; }
`;

function toCell(cell: NotebookCell, at: number): string {
  const { language, title, source, state, started_at_ms, elapsed_ms, outputs } = cell;
  const name = title === undefined ? '' : `<strong>${escapeHtml(title)}</strong> `;
  const begun = started_at_ms ? `, begun ${new Date(started_at_ms).toISOString()}` : '';
  const time = elapsed_ms === null ? '' : ` in ${(elapsed_ms / 1000).toFixed(2)} s`;
  const shownState = state === 'skipped' ? 'not run' : state;
  return `<section class="cell" id="cell-${at + 1}">
<p class="about">${name}${at + 1}, ${escapeHtml(language)}: ${escapeHtml(shownState)}${time}${begun}</p>
<pre class="source">${escapeHtml(source)}</pre>
${outputs.map(toOutput).join('\n')}
</section>`;
}

function toOutput(output: NotebookOutput): string {
  switch (output.kind) {
    case 'text':
      return `<pre${output.stream === 'stderr' ? ' class="stderr"' : ''}>${escapeHtml(output.text)}</pre>`;
    case 'html':
      // Shown apart from this page, and its scripts do not run.
      return `<iframe sandbox="" title="output" srcdoc="${escapeHtml(output.html)}"></iframe>`;
    case 'image':
      return `<img alt="output" src="data:${escapeHtml(output.mime)};base64,${escapeHtml(output.base64)}">`;
    case 'table':
      return toTable(output);
    case 'error':
      return `<pre class="error">${escapeHtml(`${output.message}\n${output.trace}`.trim())}</pre>`;
    default:
      return assertNever(output);
  }
}

function toTable(table: Extract<NotebookOutput, { kind: 'table' }>): string {
  const { columns, rows, truncated, note: limit } = table;
  const head = columns
    .map(({ name, type }) => `<th title="${escapeHtml(type)}">${escapeHtml(name)}</th>`)
    .join('');
  const body = rows.map((row) => `<tr>${row.map((value) => `<td>${toText(value)}</td>`).join('')}</tr>`);
  const note = truncated ? `\n<p class="about">${escapeHtml(limit ?? 'There were more rows')}.</p>` : '';
  return `<table>\n<tr>${head}</tr>\n${body.join('\n')}\n</table>${note}`;
}

function toText(value: unknown): string {
  return escapeHtml(typeof value === 'string' ? value : JSON.stringify(value));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
