/** Lines that a person types, with what was typed before behind the arrow keys. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { LineEditor } from './commands/sql/interactive.ts';

const entriesMax = 1_000;

export function openLineEditor(historyFile: string): LineEditor {
  const history = readHistory(historyFile);
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: true,
    history: [...history].reverse(),
    historySize: entriesMax,
  });
  const editor: LineEditor = {
    onInterrupt: null,
    ask: (prompt) => askOnce(terminal, prompt, editor),
    remember: (entry) => keep(historyFile, entry),
    close: () => terminal.close(),
  };
  // Also while nobody is asked: a statement runs then.
  terminal.on('SIGINT', () => editor.onInterrupt?.());
  return editor;
}

function askOnce(terminal: Interface, prompt: string, editor: LineEditor): ReturnType<LineEditor['ask']> {
  return new Promise((resolve) => {
    const end = (answer: Awaited<ReturnType<LineEditor['ask']>>) => {
      editor.onInterrupt = null;
      terminal.off('line', onLine).off('close', onClose);
      resolve(answer);
    };
    const onLine = (text: string) => end({ kind: 'line', text });
    const onClose = () => end({ kind: 'ended' });
    editor.onInterrupt = () => {
      process.stdout.write('^C\n');
      terminal.write(null, { ctrl: true, name: 'u' });
      end({ kind: 'interrupted' });
    };
    terminal.on('line', onLine).on('close', onClose);
    terminal.setPrompt(prompt);
    terminal.prompt();
  });
}

/** One entry a line; the lines of an entry are joined, as arrow keys bring back one line. */
function readHistory(file: string): string[] {
  try {
    const entries = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    const kept = entries.slice(-entriesMax);
    if (entries.length > 2 * entriesMax) writeFileSync(file, `${kept.join('\n')}\n`, { mode: 0o600 });
    return kept;
  } catch {
    // There is none yet, or it is not ours to read: typing works without.
    return [];
  }
}

function keep(file: string, entry: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    appendFileSync(file, `${entry.replaceAll(/\s*\n\s*/g, ' ')}\n`, { mode: 0o600 });
  } catch {
    // A history that cannot be kept is no reason to refuse a statement.
  }
}
