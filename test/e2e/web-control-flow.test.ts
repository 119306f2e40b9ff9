/** Control flow on the run page: conditions, iterations, child runs, reasons, repairs. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../packages/web/mock/seeded-world.ts';
import { hasChromium, openStage, type Stage } from '../support/browser.ts';

describe.skipIf(!hasChromium)('the run page with control flow', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage?.close());

  test('a condition shows both sides and what came of it; its branches carry their words', async () => {
    const { page } = await stage.open(`/runs/${seeded.failedControlRun}?task=any_orders`);
    const graph = page.getByRole('region', { name: 'Task graph' });

    await graph.getByRole('link', { name: 'any_orders: Succeeded, if, 412 > 0 → true' }).waitFor();
    await graph.getByText('true', { exact: true }).waitFor();
    await graph.getByText('Not taken: any_orders came out true').waitFor({ state: 'attached' });

    const panel = page.getByRole('region', { name: 'Task any_orders' });
    await panel.getByText('412 > 0').waitFor();
    expect(await panel.getByRole('link', { name: 'Log' }).count()).toBe(0);
    await page.context().close();
  });

  test('a failed for-each opens on its iterations, and one of them on its error and log', async () => {
    const { page } = await stage.open(`/runs/${seeded.failedControlRun}`);
    const panel = page.getByRole('region', { name: 'Task each_region' });
    await panel.getByText('4 of 4 done, 1 failed').waitFor();

    const row = panel.getByRole('row', { name: /"east"/ });
    await row.getByText('Failed').waitFor();
    await row.getByRole('link', { name: '2' }).click();

    const iteration = panel.getByRole('region', { name: 'Iteration 2' });
    await iteration.getByRole('alert').filter({ hasText: 'FileNotFoundError' }).waitFor();
    await iteration.getByText('opening the file').waitFor();
    await page.reload();
    await iteration.getByText('opening the file').waitFor();
    await page.context().close();
  });

  test('iterations come a hundred at a time, and those that failed can be picked', async () => {
    const { page } = await stage.open(`/runs/${seeded.manyFilesRun}`);
    const table = page.getByRole('region', { name: 'Iterations', exact: true });
    await table.getByRole('link', { name: '99', exact: true }).waitFor();
    expect(await table.getByRole('rowheader').count()).toBe(100);

    await page.getByRole('link', { name: 'Next iterations' }).click();
    await table.getByRole('link', { name: '150', exact: true }).waitFor();
    await page.getByRole('link', { name: 'First iterations' }).click();
    await table.getByRole('link', { name: '0', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Failed', exact: true }).click();

    await page.waitForFunction(() => document.querySelectorAll('.iterations tbody tr').length === 2);
    await table.getByRole('link', { name: '7', exact: true }).click();
    const iteration = page.getByRole('region', { name: 'Iteration 7' });
    await iteration.getByText('second try').waitFor();
    await iteration.getByLabel('Attempt').selectOption({ index: 0 });
    await iteration.getByText('first try').waitFor();
    await page.context().close();
  });

  test('a task that runs a job leads to its run, and that run back to the task', async () => {
    const { page } = await stage.open(`/runs/${seeded.repairedControlRun}`);

    await page.getByRole('link', { name: `Run ${seeded.childRun}, started by report` }).click();
    await page.waitForURL(new RegExp(`/runs/${seeded.childRun}$`));
    await page.getByRole('link', { name: `task report of run ${seeded.repairedControlRun}` }).click();

    const panel = page.getByRole('region', { name: 'Task report' });
    await panel.getByRole('link', { name: `run ${seeded.childRun}` }).waitFor();
    await page.context().close();
  });

  test('a guarded task says what guards it, and why it did not run', async () => {
    const { page } = await stage.open(`/runs/${seeded.repairedControlRun}?task=archive`);
    const panel = page.getByRole('region', { name: 'Task archive' });

    await panel.getByText('Guarded: runs only if').waitFor();
    await panel.getByRole('region', { name: 'Why' }).getByText('Task archive is EXCLUDED').waitFor();

    await page
      .getByRole('region', { name: 'Task graph' })
      .getByRole('link', { name: 'archive: Excluded, guarded, no = yes → false' })
      .waitFor();
    await page.context().close();
  });

  test('a run that waits says why, and what cannot be done with it says why not', async () => {
    const { page } = await stage.open(`/runs/${seeded.queuedRun}`);
    const run = page.getByRole('region', { name: 'Run', exact: true });

    await run.getByRole('region', { name: 'Why' }).getByText('max_concurrent_runs').waitFor();

    const repair = run.getByRole('button', { name: 'Repair run' });
    expect(await repair.getAttribute('title')).toBe('The run waits in the queue');
    const remove = run.getByRole('button', { name: 'Delete run' });
    expect(await remove.getAttribute('title')).toBe('The run is active: cancel it first');
    await page.context().close();
  });

  test('a repaired run shows how it stood before', async () => {
    const { page } = await stage.open(`/runs/${seeded.repairedControlRun}`);
    const graph = page.getByRole('region', { name: 'Task graph' });
    await graph.getByRole('link', { name: 'each_region: Succeeded' }).waitFor();
    await page.getByRole('link', { name: 'each_region: Succeeded' }).click();
    const row = (input: string) => page.getByRole('row', { name: input });
    await row('"north"').getByText('before this repair').waitFor();
    await row('"east"').getByText('Succeeded').waitFor();
    expect(await row('"east"').getByText('before this repair').count()).toBe(0);

    await page.getByRole('link', { name: 'Original: Failed' }).click();

    await graph.getByRole('link', { name: 'each_region: Failed' }).waitFor();
    await graph.getByRole('link', { name: 'gather: Succeeded' }).click();
    await page.getByText('This is how the run stood before').waitFor();
    await page.getByRole('link', { name: 'Repair 1: Succeeded' }).click();
    await graph.getByRole('link', { name: 'report: Succeeded' }).waitFor();
    await page.context().close();
  });

  test('a repair is previewed, asked for, and followed on the same page', async () => {
    const runId = await startFailedRun(stage);
    const { page } = await stage.open(`/runs/${runId}`);
    await page.getByRole('button', { name: 'Repair run' }).click();
    const dialog = page.getByRole('dialog', { name: `Repair run ${runId}` });
    await previewOf(page, 'each_region', 'Runs again (3 of 4 iterations stand)');
    await previewOf(page, 'tidy_up', 'Result stands');

    await dialog.getByLabel('also every task that depends on them').check();
    await previewOf(page, 'tidy_up', 'Runs again');
    await dialog.getByLabel('this run began with them').check();
    await dialog.getByLabel('archive', { exact: true }).fill('yes');
    await dialog.getByRole('button', { name: 'Run these again' }).click();

    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Repair 1: Running' }).waitFor();
    for (let at = 0; at < 30; at++) stage.mock.step(runId);
    await page.getByRole('link', { name: 'Repair 1: Succeeded' }).waitFor();
    await page.context().close();
  });

  test('tasks to run again are chosen by keyboard; what the server refuses is said', async () => {
    const { page } = await stage.open(`/runs/${seeded.succeededRun}`);
    await page.getByRole('button', { name: 'Repair run' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    const submit = dialog.getByRole('button', { name: 'Run these again' });
    await dialog.getByText('Choose the tasks that are to run again.').waitFor();
    expect(await submit.getAttribute('title')).toBe('Choose a task first');

    await dialog.getByRole('checkbox', { name: 'silver' }).focus();
    await page.keyboard.press('Space');
    await previewOf(page, 'silver', 'Runs again');
    await dialog.getByLabel('everything that failed').check();

    await dialog.getByRole('alert').waitFor();
    expect(await submit.getAttribute('aria-disabled')).toBe('true');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const focused = await page.evaluate(() => document.activeElement?.textContent);
    expect(focused).toBe('Repair run');
    await page.context().close();
  });

  test('one task is cancelled alone, after a question', async () => {
    const runId = await startRun(stage, seeded.flightsJob);
    stage.mock.step(runId);
    const { page } = await stage.open(`/runs/${runId}?task=land`);
    const button = page.getByRole('button', { name: 'Cancel task' });

    page.once('dialog', (dialog) => dialog.accept());
    await button.click();
    await button.and(page.locator('[title="The task is being stopped"]')).waitFor();
    stage.mock.step(runId);

    await page
      .getByRole('region', { name: 'Task graph' })
      .getByRole('link', { name: 'land: Cancelled' })
      .waitFor();
    await page.context().close();
  });

  test('a for-each at work shows how far it is, and one iteration of it is cancelled alone', async () => {
    const runId = await startRun(stage, seeded.controlJob);
    const { page } = await stage.open(`/runs/${runId}?task=each_region&iteration=1`);
    const graph = page.getByRole('region', { name: 'Task graph' });
    await graph.getByRole('link', { name: 'each_region: Waiting' }).waitFor();
    await page.getByRole('region', { name: 'Why' }).getByText('any_orders is BLOCKED').waitFor();

    while (!hasIterations(stage, runId)) stage.mock.step(runId);
    await page.getByText('0 of 4 done, 2 at work').waitFor();
    const iteration = page.getByRole('region', { name: 'Iteration 1' });
    page.once('dialog', (dialog) => dialog.accept());
    await iteration.getByRole('button', { name: 'Cancel iteration' }).click();

    await iteration.getByText('Cancelled').waitFor();
    stage.mock.step(runId);
    await graph.getByRole('link', { name: 'each_region: Running, for each, 2/4 done' }).waitFor();
    await page.context().close();
  });

  test('a run is deleted after a question, and its job is shown', async () => {
    const runId = await startFailedRun(stage);
    const { page } = await stage.open(`/runs/${runId}`);

    page.once('dialog', (dialog) => dialog.dismiss());
    await page.getByRole('button', { name: 'Delete run' }).click();
    expect(stage.mock.world.runs.has(runId)).toBe(true);
    page.once('dialog', (dialog) => dialog.accept());
    await page.getByRole('button', { name: 'Delete run' }).click();

    await page.waitForURL(new RegExp(`/jobs/${seeded.controlJob}$`));
    expect(stage.mock.world.runs.has(runId)).toBe(false);
    await page.context().close();
  });
});

async function previewOf(page: Page, key: string, words: string): Promise<void> {
  const preview = page.getByRole('region', { name: 'Preview' });
  await preview.getByRole('row', { name: key }).filter({ hasText: words }).waitFor();
}

function hasIterations(stage: Stage, runId: number): boolean {
  return (stage.mock.world.runs.get(runId)?.iterations.size ?? 0) > 0;
}

let copies = 0;

/** A run of its own for a test that changes it: a copy of the seeded one that failed. */
async function startFailedRun(stage: Stage): Promise<number> {
  const { world } = stage.mock;
  const failed = world.runs.get(seeded.failedControlRun);
  if (!failed) throw new Error('the seeded run is gone');
  copies += 1;
  const runId = 5_000 + copies;
  const ofCopy = (taskRunId: number) => taskRunId + copies * 10_000_000;
  const renumber = <Task extends { readonly run_id: number }>(task: Task): Task => ({
    ...task,
    run_id: ofCopy(task.run_id),
  });
  world.runs.set(runId, {
    ...failed,
    document: { ...failed.document, run_id: runId, job_run_id: runId },
    tasks: failed.tasks.map(renumber),
    iterations: new Map([...failed.iterations].map(([id, all]) => [ofCopy(id), all.map(renumber)])),
    history: [],
    watchers: new Set(),
  });
  return runId;
}

async function startRun(stage: Stage, jobId: number): Promise<number> {
  const response = await fetch(`${stage.mock.url}/api/2.2/jobs/run-now`, {
    method: 'POST',
    headers: { authorization: 'Bearer test', 'content-type': 'application/json' },
    body: JSON.stringify({ job_id: jobId }),
  });
  const { run_id } = (await response.json()) as { run_id: number };
  return run_id;
}
