/** `headrace sql` without a statement, in a terminal: lines are gathered until a semicolon ends them. */
import { note, print } from '../../output/print.ts';
import { splitStatements } from './split-statements.ts';
import type { SqlRunner } from './sql-runner.ts';

export type Typed =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'ended' };

/** What a terminal offers; Ctrl-C at the prompt is `interrupted`, Ctrl-D is `ended`. */
export interface LineEditor {
  ask(prompt: string): Promise<Typed>;
  /** Kept for the next time. */
  remember(entry: string): void;
  /** While it is set, Ctrl-C calls it. */
  onInterrupt: (() => void) | null;
  close(): void;
}

const prompt = 'sql> ';
const promptWithin = '...> ';
const leave = /^\s*(?:exit|quit|\\q)\s*;?\s*$/i;
const help = `End a statement with a semicolon; it may have many lines. BEGIN … END is one statement.
Ctrl-C clears what you have typed, or cancels the statement that runs. Ctrl-D, exit or quit leaves.`;

export async function runInteractive(runner: SqlRunner, editor: LineEditor): Promise<void> {
  const { context } = runner;
  note(context, `Connected to ${runner.serverUrl}. End statements with a semicolon; \`help\` says more.`);
  let typed = '';
  try {
    for (;;) {
      const answer = await editor.ask(typed === '' ? prompt : promptWithin);
      if (answer.kind === 'ended') return;
      if (answer.kind === 'interrupted') {
        typed = '';
        continue;
      }
      if (typed === '' && leave.test(answer.text)) return;
      if (typed === '' && /^\s*(?:help|\\h|\?)\s*;?\s*$/i.test(answer.text)) {
        print(context, help);
        continue;
      }
      typed = typed === '' ? answer.text : `${typed}\n${answer.text}`;
      const { statements, rest } = splitStatements(typed);
      if (statements.length === 0) {
        if (rest === '') typed = '';
        continue;
      }
      editor.remember(typed.trim());
      for (const statement of statements) if (!(await runOne(runner, editor, statement.text))) break;
      typed = rest;
    }
  } finally {
    editor.close();
  }
}

/** False when those that follow on the same line should not be run. */
async function runOne(runner: SqlRunner, editor: LineEditor, text: string): Promise<boolean> {
  const cancel = new AbortController();
  editor.onInterrupt = () => cancel.abort();
  try {
    return await runner.runAndShow(text, cancel.signal);
  } finally {
    editor.onInterrupt = null;
  }
}
