/** The pages about bundles say what there is: every call in them is one that the program takes, and no command is missing. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { beforeAll, expect, test } from 'vitest';
import type { CliContext } from '../../cli-context.ts';
import { createProgram } from '../../program.ts';

const docs = path.resolve(import.meta.dirname, '../../../../../docs');
const pages = ['cli.md', ...globSync('bundles/**/*.md', { cwd: docs })];

let bundle: Command;
beforeAll(async () => {
  const program = await createProgram({ stdout: {}, stderr: {} } as CliContext, ['bundle']);
  bundle = program.commands.find((command) => command.name() === 'bundle') as Command; // It was asked for.
});

/** Of blocks, and of texts in between. */
function listCalls(page: string): string[] {
  const text = readFileSync(path.join(docs, page), 'utf8');
  const calls = text.matchAll(/(?:^|[`$&] ?)headrace bundle ([^\n`&>#"]+)/gm);
  return [...calls].map(([, call = '']) => call.trim());
}

function findWrong(call: string): string | null {
  const words = (call.split(' -- ')[0] ?? '').split(/\s+/);
  let command = bundle;
  for (const word of words) {
    const next = command.commands.find((child) => child.name() === word);
    if (next === undefined) break;
    command = next;
  }
  if (command === bundle) return `no command: ${call}`;
  const known = command.options.flatMap(({ short, long }) => [short, long]);
  const unknown = words.filter((word) => /^--?[a-z]/.test(word) && !known.includes(word.split('=')[0]));
  // Two names of one flag are kept as one text.
  const missing = unknown.filter((word) => !command.options.some(({ flags }) => flags.includes(word)));
  return missing.length === 0 ? null : `${missing.join(' ')}: ${call}`;
}

test.each(pages)('the calls in %s are ones that the program takes', (page) => {
  const wrong = listCalls(page).flatMap((call) => findWrong(call) ?? []);

  expect(wrong).toEqual([]);
});

test('the page of commands names them all', () => {
  const text = readFileSync(path.join(docs, 'bundles/commands.md'), 'utf8');
  const names = bundle.commands.map((command) => command.name());

  expect(names.filter((name) => !new RegExp(`^\\| .*\`${name}\\b`, 'm').test(text))).toEqual([]);
  expect(listCalls('bundles/commands.md').length).toBeGreaterThan(20);
});
