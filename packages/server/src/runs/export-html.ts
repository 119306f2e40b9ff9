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
${cells}
</body>
</html>
`;
}

const style = `
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; }
pre { overflow: auto; margin: 0; padding: .5rem; white-space: pre-wrap; }
table { border-collapse: collapse; } td, th { border: 1px solid #ccc; padding: .2rem .5rem; text-align: left; }
img { max-width: 100%; } iframe { border: 0; width: 100%; height: 24rem; }
.cell { border: 1px solid #ccc; margin: 1rem 0; } .source { background: #f5f5f5; }
.about, .path { color: #666; font-size: 12px; margin: 0; padding: .2rem .5rem; } .error { background: #fff0f0; }
`;

function toCell({ language, source, state, elapsed_ms, outputs }: NotebookCell): string {
  const time = elapsed_ms === null ? '' : ` in ${(elapsed_ms / 1000).toFixed(2)} s`;
  return `<section class="cell">
<p class="about">${escapeHtml(language)}: ${escapeHtml(state)}${time}</p>
<pre class="source">${escapeHtml(source)}</pre>
${outputs.map(toOutput).join('\n')}
</section>`;
}

function toOutput(output: NotebookOutput): string {
  switch (output.kind) {
    case 'text':
      return `<pre>${escapeHtml(output.text)}</pre>`;
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

function toTable({ columns, rows, truncated }: Extract<NotebookOutput, { kind: 'table' }>): string {
  const head = columns.map(({ name }) => `<th>${escapeHtml(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((value) => `<td>${toText(value)}</td>`).join('')}</tr>`);
  const note = truncated ? '\n<p class="about">There were more rows.</p>' : '';
  return `<table>\n<tr>${head}</tr>\n${body.join('\n')}\n</table>${note}`;
}

function toText(value: unknown): string {
  return escapeHtml(typeof value === 'string' ? value : JSON.stringify(value));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
