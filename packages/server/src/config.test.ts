import { expect, test } from 'vitest';
import { ConfigError, describeConfig, listSettings, readConfig } from './config.ts';

test('without any variable every setting has its default', () => {
  expect(readConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    databaseUrl: null,
    unknownIds: 'default',
  });
});

test('an empty variable counts as unset', () => {
  expect(readConfig({ HEADRACE_PORT: '', HEADRACE_BIND: '' })).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
  });
});

test('all problems are told at once, by the variable', () => {
  const read = () =>
    readConfig({ HEADRACE_PORT: '70000', HEADRACE_SLOTS: 'many', HEADRACE_DATABASE_URL: 'mysql://x' });

  expect(read).toThrow(ConfigError);
  for (const name of ['HEADRACE_PORT', 'HEADRACE_SLOTS', 'HEADRACE_DATABASE_URL']) expect(read).toThrow(name);
});

test('what is printed holds no secret', () => {
  const config = readConfig({ HEADRACE_DATABASE_URL: 'postgres://u:hunter2@db/x' });

  expect(JSON.stringify(describeConfig(config))).not.toContain('hunter2');
  expect(describeConfig(config)).toMatchObject({ HEADRACE_DATABASE_URL: '(set, not shown)' });
});

test('there are at most 40 settings, each with a sentence', () => {
  expect(listSettings().length).toBeLessThanOrEqual(40);
  for (const { about } of listSettings()) expect(about).toMatch(/^[A-Z].+\.$/);
});
