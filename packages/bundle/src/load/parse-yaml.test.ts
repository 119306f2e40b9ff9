import { expect, test } from 'vitest';
import { toPlain } from '../nodes.ts';
import { formatProblem } from '../problem.ts';
import { parseYaml } from './parse-yaml.ts';

function parse(text: string | Uint8Array) {
  const { documents, problems } = parseYaml('x.yml', Buffer.from(text));
  return { values: documents.map(toPlain), findings: problems.map(formatProblem), documents };
}

test('a byte-order mark changes neither values nor places', () => {
  const { values, documents } = parse(
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('a: 1\n')]),
  );

  expect(values).toEqual([{ a: 1 }]);
  expect(documents[0]?.entries.get('a')?.keyAt).toEqual({ file: 'x.yml', line: 1, column: 1 });
});

test.each<[string, Uint8Array]>([
  ['is UTF-16, not UTF-8 text', Buffer.from('\uFEFFa: 1', 'utf16le')],
  ['is not UTF-8 text', Buffer.from('a: \xe9', 'latin1')],
  ['holds zero bytes, so it is no text', Buffer.from('a: \0')],
])('what %s is refused', (reason, bytes) => {
  expect(parse(bytes)).toMatchObject({
    values: [],
    findings: [expect.stringContaining(`error: x.yml:1:1: ${reason}`)],
  });
});

test('several documents of one file are read, empty ones too', () => {
  expect(parse('a: 1\n---\n---\n# nothing\n---\nb: 2\n...\n').values).toEqual([{ a: 1 }, { b: 2 }]);
});

test('merge keys: several sources, the first wins, own keys win over all, and a merged one may be given again', () => {
  const { values, findings } = parse(`
base: &base {a: 1, b: 1}
more: &more {b: 2, c: 2}
both: {<<: [*base, *more], c: 3}
nested: {<<: {<<: *base, d: 4}, a: 9}
quoted: {"<<": 1}
`);

  expect(findings).toEqual([]);
  expect(values[0]).toMatchObject({
    both: { a: 1, b: 1, c: 3 },
    nested: { a: 9, b: 1, d: 4 },
    quoted: { '<<': 1 },
  });
});

test.each([
  ['a: &x 1\nb: {<<: *x}\n', 'error: x.yml:2:5: << must name a mapping or a list of mappings'],
  ['? [a, b]\n: 1\n', 'error: x.yml:1:3: a key must be a plain text'],
  ['a: 1\nb: 2\na: 3\n', "error: x.yml:3:1: the key 'a' is given twice"],
  ['{"a": 1, a: 2}\n', "error: x.yml:1:10: the key 'a' is given twice"],
  ['a: *gone\n', 'error: x.yml:1:4: '],
  ['a: &x [*x]\n', 'error: x.yml:1:7: the file is nested deeper'],
  ['a:\n\tb: 1\n', 'error: x.yml:2:1: a tab is used for indentation'],
  ['a:\n  b: 1\n \tc: 1\n', 'error: x.yml:3:'],
  ['a: [1, 2\n', 'error: x.yml:'],
  ['a: "text', 'error: x.yml:1:'],
  ['a: {b: 1', 'error: x.yml:1:'],
  ['a: 1\n b: 2\n', 'error: x.yml:'],
])('%j is refused at its place', (text, finding) => {
  const { findings } = parse(text);

  expect(findings[0]).toContain(finding);
});

test.each([
  ['brackets', `a: ${'['.repeat(1_000)}`],
  ['braces', '{a: '.repeat(1_000)],
  ['dashes', `${'- '.repeat(1_000)}x`],
  ['indentation', Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ['brackets without end', '['.repeat(100_000)],
])('1,000 levels of %s are refused with one finding', (_, text) => {
  expect(parse(text)).toMatchObject({
    values: [],
    findings: [expect.stringMatching(/^error: x\.yml:\d+:\d+: is nested deeper than 200 levels/)],
  });
});

test('brackets inside texts and comments are no nesting', () => {
  const brackets = '['.repeat(1_000);

  expect(parse(`# ${brackets}\na: "${brackets}"\nb: |\n  ${brackets}\n`).findings).toEqual([]);
});

test('numbers that JSON cannot hold keep their text', () => {
  expect(parse('a: 12345678901234567890\nb: .inf\nc: 1.5\nd: 9007199254740991\ne: 0x10\n').values).toEqual([
    { a: '12345678901234567890', b: '.inf', c: 1.5, d: 9007199254740991, e: 16 },
  ]);
});

test('a key that is given again after thousands of others is found', () => {
  const text = Array.from({ length: 5_000 }, (_, key) => `k${key}: 1`).join('\n');

  expect(parse(`${text}\nk7: 2\n`).findings).toEqual([
    expect.stringContaining("error: x.yml:5001:1: the key 'k7' is given twice"),
  ]);
});
