import { ApiException } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { explainApiError, retryDelayMs, saysNotFound } from './api-errors.ts';

const action = { verb: 'watch', resource: 'pods', namespace: 'jobs' } as const;
const anError = (code: number, body: unknown, headers: Record<string, string> = {}) =>
  new ApiException(code, 'no', body, headers);
const notFound = (name: string) => ({ kind: 'Status', reason: 'NotFound', details: { name } });

test('only the API’s own word is proof that a Pod is gone', () => {
  expect(saysNotFound(anError(404, notFound('p')), 'p')).toBe(true);
  expect(saysNotFound(anError(404, JSON.stringify(notFound('p'))), 'p')).toBe(true);

  expect(saysNotFound(anError(404, '<html>no such path</html>'), 'p')).toBe(false);
  expect(saysNotFound(anError(404, notFound('other')), 'p')).toBe(false);
  expect(saysNotFound(anError(410, notFound('p')), 'p')).toBe(false);
  expect(saysNotFound(new Error('connection reset'), 'p')).toBe(false);
});

test('a right that is missing is named with the verb and the resource', () => {
  const { message, isRefused } = explainApiError(anError(403, { message: 'forbidden' }), action);

  expect(message).toContain('may not watch pods in namespace jobs: give its role the verb “watch” on “pods”');
  expect(isRefused).toBe(true);
});

test('what passes is tried again, after as long as the API asks for', () => {
  expect(retryDelayMs(anError(429, {}, { 'retry-after': '3' }), 0)).toBe(3_000);
  expect(retryDelayMs(anError(429, {}, { 'retry-after': '3600' }), 0)).toBe(30_000);
  expect(retryDelayMs(anError(503, {}), 1)).toBe(200);
  const reset = new TypeError('fetch failed', { cause: new Error('read ECONNRESET') });
  expect(retryDelayMs(reset, 20)).toBe(5_000);
  expect(retryDelayMs(new DOMException('no answer', 'TimeoutError'), 0)).toBe(100);
  for (const code of [400, 401, 403, 404, 409, 422]) expect(retryDelayMs(anError(code, {}), 0)).toBeNull();
});

test('what is wrong on our side is told at once', () => {
  const error = new Error('No active cluster!');

  expect(retryDelayMs(error, 0)).toBeNull();
  expect(explainApiError(error, action)).toMatchObject({
    isRefused: true,
    message: 'Headrace cannot ask Kubernetes to watch pods in namespace jobs: No active cluster!',
  });
});
