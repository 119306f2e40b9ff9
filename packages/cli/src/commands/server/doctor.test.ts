import type { DoctorReport } from '@headrace/api';
import { expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { startStubServer } from '../../testing/stub-server.ts';

async function callDoctor(args: readonly string[], report: Partial<DoctorReport>) {
  const asked: unknown[] = [];
  const server = await startStubServer({
    doctor: async (request: unknown) => {
      asked.push(request);
      return { checked_at_ms: 1, deep: false, checks: [], findings: [], ...report };
    },
  });
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 'token' };
  try {
    return { ...(await callCli(['doctor', ...args], { environment })), asked };
  } finally {
    await server.close();
  }
}

const finding = {
  kind: 'run_without_next_step',
  severity: 'error' as const,
  message: 'Run 7 is running, and nothing could move it.',
  advice: 'Cancel the run.',
  run_id: 7,
  history: [{ at_ms: 1_000_000, kind: 'attempt_running', task_key: 'load', detail: { epoch: 2 } }],
};

test('doctor of a server that is well says so', async () => {
  const checks = [{ kind: 'disk_space', elapsed_ms: 1, findings: 0 }];
  const called = await callDoctor([], { checks });
  const means = { task_limits: 'Limits of tasks: a watch.', hosted_paths: 'Paths: links.' };
  const withLimits = await callDoctor([], { checks, ...means });

  expect(called).toMatchObject({ exitCode: 0, stdout: '1 check, all well\n' });
  expect(withLimits.stdout).toBe('1 check, all well\n\nLimits of tasks: a watch.\n\nPaths: links.\n');
});

test('doctor tells each finding with its advice and history, and fails', async () => {
  const called = await callDoctor(['--deep'], { findings: [finding] });

  expect(called.asked).toEqual([{ deep: true }]);
  expect(called.exitCode).toBe(1);
  for (const text of [finding.message, finding.advice, 'attempt_running  load  {"epoch":2}'])
    expect(called.stdout).toContain(text);
});

test('a warning is told and does not fail the command', async () => {
  const called = await callDoctor([], { findings: [{ ...finding, severity: 'warning' }] });

  expect(called.exitCode).toBe(0);
  expect(called.stdout).toContain('warning run_without_next_step');
});
