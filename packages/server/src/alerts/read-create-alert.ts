/** `CREATE ALERT name ON SCHEDULE '<cron>' AS <query>`: a statement of SQL endpoints, of which Spark knows nothing. */
import { toQuartz } from '@headrace/core';

export interface CreateAlert {
  readonly name: string;
  /** As Quartz writes it; in UTC. */
  readonly schedule: string;
  readonly query: string;
}

export type CreateAlertReading =
  | { readonly kind: 'other' }
  | { readonly kind: 'alert'; readonly alert: CreateAlert }
  | { readonly kind: 'problem'; readonly message: string };

/** Comments end at their first end, so that no text can be read in more than one way. */
const space = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*[^*]*(?:\*(?!/)[^*]*)*\*/)`;
/** As in the API. */
const nameCharsMax = 255;
/** Comments and a schedule before the query are short. */
const headCharsMax = 10_000;
const begin = new RegExp(`^${space}*(create)${space}+(alert)(?![\\w$])`, 'id');
const rest = new RegExp(
  `${space}+(?<name>[A-Za-z_][\\w$]*|\`(?:[^\`]|\`\`)+\`)${space}+on${space}+schedule${space}*'(?<cron>[^']*)'${space}*as(?![\\w$])`,
  'iy',
);

export function readCreateAlert(statement: string): CreateAlertReading {
  const found = readHead(statement);
  if (found === null) return { kind: 'other' };
  const { head, query } = found;
  if (head === null || query === '')
    return {
      kind: 'problem',
      message: "the statement is none that makes an alert: CREATE ALERT name ON SCHEDULE '<cron>' AS <query>",
    };
  if (head.name.length > nameCharsMax)
    return { kind: 'problem', message: `the name of an alert has at most ${nameCharsMax} characters` };
  const cron = toQuartz(head.cron);
  if (cron.kind === 'problem') return { kind: 'problem', message: `ON SCHEDULE ${cron.message}` };
  return { kind: 'alert', alert: { name: head.name, schedule: cron.expression, query } };
}

/** The same text for Spark's analyzer, which says what is wrong with the query at its own place in the statement. */
export function toDescribeQuery(statement: string): string {
  const found = readHead(statement);
  if (found === null) throw new Error('bug: the statement makes no alert');
  const { createAt, alertAt, queryAt } = found;
  const blank = [...statement.slice(0, queryAt)].map((letter) =>
    letter === '\n' ? '\n' : ' '.repeat(letter.length),
  );
  // Each is as long as the word that stood there, or shorter.
  const text = place(place(blank.join(''), createAt, 'DESC'), alertAt, 'QUERY');
  return `${text}${statement.slice(queryAt)}`;
}

function place(text: string, at: number, word: string): string {
  return `${text.slice(0, at)}${word}${text.slice(at + word.length)}`;
}

interface Head {
  readonly name: string;
  readonly cron: string;
}

function readHead(statement: string) {
  const start = statement.slice(0, headCharsMax);
  const words = begin.exec(start);
  if (words === null) return null;
  const [, [createAt] = [0], [alertAt] = [0]] = words.indices ?? [];
  rest.lastIndex = words[0].length;
  const { groups } = rest.exec(start) ?? {};
  const queryAt = groups === undefined ? words[0].length : rest.lastIndex;
  const { name = '', cron = '' } = groups ?? {};
  const head: Head | null =
    groups === undefined ? null : { name: name.startsWith('`') ? unquote(name) : name, cron };
  return {
    createAt,
    alertAt,
    queryAt,
    head,
    query: statement
      .slice(queryAt)
      .replace(/[\s;]+$/, '')
      .trim(),
  };
}

function unquote(name: string): string {
  return name.slice(1, -1).replaceAll('``', '`');
}
