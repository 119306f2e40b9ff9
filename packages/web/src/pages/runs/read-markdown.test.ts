import { expect, test } from 'vitest';
import { readMarkdown } from './read-markdown.ts';

const text = (value: string) => ({ kind: 'text', text: value });

test('blocks are read in their order', () => {
  const source =
    '# Title #\nOne\ntwo.\n\n- a\n- b\n  goes on\n1. first\n\n> said\n\n---\n```python\n# not a title\n```\nend';

  expect(readMarkdown(source)).toEqual([
    { kind: 'heading', level: 1, children: [text('Title')] },
    { kind: 'paragraph', children: [text('One\ntwo.')] },
    { kind: 'list', isOrdered: false, entries: [[text('a')], [text('b goes on')]] },
    { kind: 'list', isOrdered: true, entries: [[text('first')]] },
    { kind: 'quote', children: [text('said')] },
    { kind: 'rule' },
    { kind: 'code', text: '# not a title' },
    { kind: 'paragraph', children: [text('end')] },
  ]);
});

test('emphasis, code and links are read inside of a line', () => {
  const [block] = readMarkdown('**bold _both_** *it* `a*b*c` [the page](https://example.org "title")');

  expect(block).toEqual({
    kind: 'paragraph',
    children: [
      { kind: 'strong', children: [text('bold '), { kind: 'emphasis', children: [text('both')] }] },
      text(' '),
      { kind: 'emphasis', children: [text('it')] },
      text(' '),
      { kind: 'code', text: 'a*b*c' },
      text(' '),
      { kind: 'link', href: 'https://example.org', children: [text('the page')] },
    ],
  });
});

test.each([
  'javascript:alert(1)',
  'javascript:alert`1`',
  'JavaScript:x',
  'data:text/html,x',
  '//example.org',
  'vbscript:x',
])('a link to %s stays text', (href) => {
  expect(JSON.stringify(readMarkdown(`[x](${href})`))).not.toContain('"link"');
});

test('names with underscores and lone signs stay as they are', () => {
  const source = 'run_date and gold_delays, a trailing_name_ too, 2 * 3 * 4, a ` tick, <b>no</b>';

  expect(readMarkdown(source)).toEqual([{ kind: 'paragraph', children: [text(source)] }]);
});

test('code without an end goes on to the end', () => {
  expect(readMarkdown('```\na\nb')).toEqual([{ kind: 'code', text: 'a\nb' }]);
});

test('a long run of signs is read in time', () => {
  const beganAtMs = performance.now();

  for (const sign of ['*', '_', '[', '`', '[a](', '**a', '# ', '> ']) readMarkdown(sign.repeat(20_000));

  expect(performance.now() - beganAtMs).toBeLessThan(5_000);
});
