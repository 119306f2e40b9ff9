import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ApiError, errorStatuses, retryWordings, toApiError, toErrorBody } from './errors.ts';

test('an error has the status of its code', () => {
  const error = new ApiError('RESOURCE_DOES_NOT_EXIST', 'Job 7 does not exist.');

  expect(error.status).toBe(404);
  expect(toErrorBody(error)).toEqual({
    error_code: 'RESOURCE_DOES_NOT_EXIST',
    message: 'Job 7 does not exist.',
    details: [],
  });
});

test('a reply with a known code becomes that error', () => {
  const error = toApiError(400, { error_code: 'INVALID_STATE', message: 'no', details: [{ a: 1 }] });

  expect(error).toMatchObject({ code: 'INVALID_STATE', message: 'no', details: [{ a: 1 }] });
});

test.each([
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'RESOURCE_DOES_NOT_EXIST'],
  [418, 'INVALID_PARAMETER_VALUE'],
  [429, 'REQUEST_LIMIT_EXCEEDED'],
  [502, 'INTERNAL_ERROR'],
])('a reply %i without our body becomes %s', (status, code) => {
  expect(toApiError(status, '<html>').code).toBe(code);
});

test('wordings that make clients retry never leave in a body', () => {
  for (const wording of retryWordings) {
    const { message } = toErrorBody(new ApiError('INVALID_PARAMETER_VALUE', `job "${wording}" is no job`));

    expect(message).not.toContain(wording);
    expect(message.toLowerCase()).toContain(wording.toLowerCase());
  }
});

test('no source of the contract uses them', () => {
  const folder = new URL('.', import.meta.url);
  const files = readdirSync(folder).filter(
    (name) => name.endsWith('.ts') && !/^errors\.|\.test\.ts$/.test(name),
  );

  expect(files.length).toBeGreaterThan(15);
  for (const file of files) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    for (const wording of retryWordings) expect(text, file).not.toContain(wording);
  }
});

test('every code has a status that clients read as an error', () => {
  expect(Object.values(errorStatuses).every((status) => status >= 400 && status < 600)).toBe(true);
});
