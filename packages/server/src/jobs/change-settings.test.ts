import { expect, test } from 'vitest';
import { changeSettings } from './change-settings.ts';

const settings = {
  name: 'before',
  tags: { a: '1' },
  tasks: [{ task_key: 'a', max_retries: 1 }, { task_key: 'b' }],
};

test('a field that is given replaces the old one whole', () => {
  const changed = changeSettings(settings, { newSettings: { tags: { b: '2' } }, fieldsToRemove: [] });

  expect(changed).toEqual({ ...settings, tags: { b: '2' } });
});

test('tasks are replaced and added by key, and the others stay', () => {
  const newSettings = { tasks: [{ task_key: 'c' }, { task_key: 'a', timeout_seconds: 5 }] };

  const changed = changeSettings(settings, { newSettings, fieldsToRemove: [] });

  expect(changed.tasks).toEqual([
    { task_key: 'a', timeout_seconds: 5 },
    { task_key: 'b' },
    { task_key: 'c' },
  ]);
});

test('fields, and single tasks, are removed first', () => {
  const changed = changeSettings(settings, {
    newSettings: {},
    fieldsToRemove: ['tags', 'tasks/a', 'unknown'],
  });

  expect(changed).toEqual({ name: 'before', tasks: [{ task_key: 'b' }] });
});
