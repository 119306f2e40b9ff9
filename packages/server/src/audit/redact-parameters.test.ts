import { expect, test } from 'vitest';
import { redactParameters } from './redact-parameters.ts';

test('short plain values stay, secrets and nested values do not', () => {
  expect(
    redactParameters({
      path: '/x',
      job_id: 7,
      overwrite: true,
      token_id: 'a1',
      missing: undefined,
      content: 'YWJj',
      string_value: 's',
      bytes_value: 'cw==',
      scope: 'prod',
      key: 'k',
      code: 'c',
      notebook_params: { k: 'v' },
      idempotency_token: 't',
      jar_params: ['x'],
      tasks: [1, 2],
      references: ['prod/k', { value: 's' }, 'prod/l'],
      settings: { a: 1 },
      long: 'x'.repeat(1_000),
    }),
  ).toEqual({
    path: '/x',
    job_id: 7,
    overwrite: true,
    token_id: 'a1',
    missing: null,
    content: '(not recorded)',
    string_value: '(not recorded)',
    bytes_value: '(not recorded)',
    scope: 'prod',
    key: 'k',
    code: '(not recorded)',
    notebook_params: '(not recorded)',
    idempotency_token: '(not recorded)',
    jar_params: '(not recorded)',
    tasks: '(2 entries)',
    references: 'prod/k, prod/l',
    settings: '(1 fields)',
    long: 'x'.repeat(300),
  });
});

test('a login within a URL is not recorded, the rest of the URL is', () => {
  const url = 'https://ann:ghp_1@git.example/x.git';

  expect(redactParameters({ url })).toEqual({ url: 'https://(not recorded)@git.example/x.git' });
});

test('names are limited too: they come from outside', () => {
  const many = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`${index}${'n'.repeat(1_000)}`, 1]),
  );

  const redacted = redactParameters(many);

  expect(Object.keys(redacted)).toHaveLength(50);
  expect(Math.max(...Object.keys(redacted).map((name) => name.length))).toBe(300);
});
