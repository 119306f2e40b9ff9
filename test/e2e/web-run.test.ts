/** The run page, in a real browser over the fake API: states, cause, log, notebook, cancelling. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../packages/web/mock/seeded-world.ts';
import { sentinels } from '../../packages/web/mock/sentinels.ts';
import { hasChromium, openStage, type Stage } from '../support/browser.ts';
import { waitUntil } from '../support/census.ts';

describe.skipIf(!hasChromium)('the run page', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage?.close());

  test('a failed run opens on its cause, with the exception first', async () => {
    const { page } = await stage.open(`/runs/${seeded.failedRun}`);
    const panel = page.getByRole('region', { name: 'Task silver' });

    await panel.getByRole('alert').filter({ hasText: 'TooManyDirtyRows: 31 %' }).waitFor();

    const graph = page.getByRole('region', { name: 'Task graph' });
    await graph.getByRole('link', { name: 'gold_routes: Upstream failed' }).waitFor();
    await graph.getByRole('link', { name: 'alert: Succeeded' }).waitFor();
    await panel.getByText('Traceback', { exact: true }).click();
    await panel.getByText('refuse_dirty(rows)').first().waitFor();
    await page.context().close();
  });

  test('an earlier attempt can be chosen, and has an address', async () => {
    const { page } = await stage.open(`/runs/${seeded.failedRun}`);

    await page.getByLabel('Attempt').selectOption({ index: 0 });

    await page.waitForURL(/attempt=0/);
    await page.reload();
    await page.getByRole('region', { name: 'Task silver' }).waitFor();
    expect(await page.getByLabel('Attempt').inputValue()).toBe('0');
    await page.context().close();
  });

  test('a running run goes on before the eyes, to its end', async () => {
    const { page } = await stage.open(`/runs/${seeded.runningRun}?task=bronze&tab=log`);
    const graph = page.getByRole('region', { name: 'Task graph' });
    const log = page.getByRole('region', { name: 'Log text' });
    await graph.getByRole('link', { name: 'bronze: Running' }).waitFor();

    stage.mock.step(seeded.runningRun);
    await log.getByText('bronze: step 1 of 3').waitFor();
    stage.mock.step(seeded.runningRun);
    await log.getByText('bronze: step 2 of 3').waitFor();
    for (let at = 0; at < 3; at++) stage.mock.step(seeded.runningRun);

    await graph.getByRole('link', { name: 'bronze: Succeeded' }).waitFor();
    await graph.getByRole('link', { name: 'silver: Running' }).waitFor();
    for (let at = 0; at < 20; at++) stage.mock.step(seeded.runningRun);
    await graph.getByRole('link', { name: 'alert: Excluded' }).waitFor();
    await page.getByRole('region', { name: 'Run', exact: true }).getByText('Succeeded').waitFor();
    await page.context().close();
  });

  test('cancelling asks first, and once the run has ended the button says why it refuses', async () => {
    const runId = await startFlights(stage);
    const { page } = await stage.open(`/runs/${runId}`);
    const button = page.getByRole('button', { name: 'Cancel run' });

    page.once('dialog', (dialog) => dialog.dismiss());
    await button.click();
    expect(stage.mock.world.runs.get(runId)?.document.status.state).toBe('RUNNING');
    page.once('dialog', (dialog) => dialog.accept());
    await button.click();

    await button.and(page.locator('[title="The run is being stopped"]')).waitFor();
    stage.mock.step(runId);
    await button.and(page.locator('[title="The run has ended"]')).waitFor();
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    page.once('dialog', () => expect.unreachable('a refused button asked'));
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Run', exact: true }).getByText('Cancelled').first().waitFor();
    await page.context().close();
  });

  test('a long log opens at its end, is searched, and shows its start when asked', async () => {
    const { page } = await stage.open(`/runs/${seeded.succeededRun}?task=silver&tab=log`);
    const log = page.getByRole('region', { name: 'Log text' });
    await log.getByText('row 39999:').waitFor();

    await page.getByRole('searchbox', { name: 'Search the log' }).fill('ROW 39998');
    await page.getByText('1 line in the part shown').waitFor();
    await page.getByRole('searchbox').fill('no such line');
    await log.getByText('No line has “no such line”.').waitFor();
    await page.getByRole('searchbox').fill('');
    await page.getByRole('button', { name: 'From the start' }).click();

    await log.getByText('row 0:').waitFor();
    await page.getByRole('button', { name: 'To the end' }).click();
    await log.getByText('row 39999:').waitFor();
    await page.context().close();
  });

  test('a log whose middle is missing says so', async () => {
    const { page } = await stage.open(`/runs/${seeded.succeededRun}?task=gold_delays`);

    await page.getByText('the middle of this log was left out').waitFor();

    await page.getByText('1,003,481,088 bytes are left out here').waitFor();
    await page.context().close();
  });

  test('a notebook shows markdown, text, table and image; its links are safe', async () => {
    const { page } = await stage.open(`/runs/${seeded.succeededRun}?task=publish`);

    await page.getByRole('heading', { name: 'The day in numbers' }).waitFor();
    await page.getByRole('cell', { name: 'JetBlue Airways' }).waitFor();
    expect(await page.getByText(/%(md|sql)/).count()).toBe(0);
    await page.getByText('Only the first 6 rows are kept').waitFor();
    const image = page.getByRole('img', { name: 'Output of this cell' });
    await image.waitFor();

    expect(
      await image.evaluate((element: HTMLImageElement) => element.decode().then(() => element.naturalWidth)),
    ).toBe(520);
    expect(await page.getByRole('link', { name: 'the README' }).getAttribute('rel')).toContain('noopener');
    expect(await page.getByRole('link', { name: 'this', exact: true }).count()).toBe(0);
    await page.context().close();
  });

  test('HTML that a notebook prints is shown in a box without scripts or a way to the page', async () => {
    const { page } = await stage.open(`/runs/${seeded.succeededRun}?task=publish`);
    const frame = page.frameLocator('iframe[title="HTML output of this cell"]');

    await frame.getByRole('heading', { name: 'Summary' }).waitFor();

    expect(await frame.locator('#text').textContent()).toBe('842 flights');
    expect(await page.locator('iframe').getAttribute('sandbox')).toBe('');
    await page.context().close();
  });

  test('a notebook that failed shows the error in its cell; a log that cannot be read says why', async () => {
    const { page } = await stage.open(`/runs/${seeded.brokenNotebookRun}`);
    const cell = page.locator('.cell-failed');
    await cell.getByText('ratio = cancelled / flights').last().waitFor();
    await cell.getByText('Share of cancelled flights').waitFor();
    await page.getByText('Cell 2 failed: ZeroDivisionError: division by zero').waitFor();
    await page.getByRole('link', { name: 'Cell 2 failed' }).click();
    expect(new URL(page.url()).hash).toBe('#cell-2');
    await cell.getByText('no flights on this day').waitFor();

    await page.getByRole('link', { name: 'Log', exact: true }).click();

    await page.getByRole('alert').filter({ hasText: 'The log could not be read.' }).waitFor();
    await page.context().close();
  });

  test('our own failure is shown with its message', async () => {
    const { page } = await stage.open(`/runs/${sentinels.runWithInternalError}`);

    await page
      .getByRole('alert')
      .filter({ hasText: 'The run could not be loaded. Something broke' })
      .waitFor();
    await page.context().close();
  });

  test('a server that goes away leaves the page standing, and the run goes on when it is back', async () => {
    const runId = await startFlights(stage);
    const { page, requests } = await stage.open(`/runs/${runId}`);
    const graph = page.getByRole('region', { name: 'Task graph' });
    await graph.getByRole('link', { name: 'land: Running' }).waitFor();

    await stage.mock.goAway();
    await page.getByRole('alert').filter({ hasText: 'It was last heard at' }).waitFor();
    await graph.getByRole('link', { name: 'land: Running' }).waitFor();
    const clock = graph.getByText('Running').locator('..');
    const logsBefore = requests.length;
    const countLogs = () => requests.slice(logsBefore).filter((url) => /\/log\?/.test(url)).length;
    for (let at = 0; at < 5; at++) stage.mock.step(runId);
    // A clock that ticks twice a second has by then come to where it stands still.
    await waitUntil('the log has failed', () => countLogs() >= 3);
    const stoodAt = await clock.textContent();
    await waitUntil('the log has failed again and again', () => countLogs() >= 8);
    expect(await page.getByRole('alert').count()).toBe(1);
    expect(await clock.textContent()).toBe(stoodAt);
    await stage.mock.comeBack();

    await graph.getByRole('link', { name: 'land: Succeeded' }).waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('a server without its database is not taken for one that works', async () => {
    const runId = await startFlights(stage);
    const { page } = await stage.open(`/runs/${runId}`);

    stage.mock.world.notReady = 'the database does not answer in time';
    await page
      .getByRole('alert')
      .filter({ hasText: 'cannot work: the database does not answer in time. What you see is how' })
      .waitFor();
    stage.mock.world.notReady = null;

    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('an attempt names its worker, and says when that one is not heard of', async () => {
    const runId = await startFlights(stage);
    const { page } = await stage.open(`/runs/${runId}?task=land`);
    const graph = page.getByRole('region', { name: 'Task graph' });
    const panel = page.getByRole('region', { name: 'Task land' });
    await panel.getByText('ash on rack-4').waitFor();

    stage.mock.world.isWorkerSilent = true;
    await graph.getByRole('link', { name: 'land: Worker silent' }).waitFor();
    await panel.getByText('not heard of for 23 s').waitFor();
    await panel.getByRole('region', { name: 'Why' }).getByText('Worker silent.').waitFor();
    stage.mock.world.isWorkerSilent = false;

    await graph.getByRole('link', { name: 'land: Running' }).waitFor();
    expect(await panel.getByRole('region', { name: 'Why' }).count()).toBe(0);
    await page.context().close();
  });

  test('a card has room for hours, whatever the state is called', async () => {
    const runId = await startFlights(stage);
    const task = stage.mock.world.runs.get(runId)?.tasks.find(({ task_key }) => task_key === 'land');
    if (task === undefined) expect.unreachable('the run has a task land');
    else Object.assign(task, { start_time: Date.now() - (12 * 60 + 34) * 60_000 });
    const { page } = await stage.open(`/runs/${runId}`);
    stage.mock.world.isWorkerSilent = true;
    const elapsed = page.locator('.node-elapsed').filter({ hasText: '12h 34m' });
    await elapsed.waitFor();
    await page.getByRole('link', { name: 'land: Worker silent' }).waitFor();
    stage.mock.world.isWorkerSilent = false;

    const isWhole = await elapsed.evaluate((element) => {
      const inner = element.getBoundingClientRect();
      const outer = element.closest('.node')?.getBoundingClientRect();
      return (
        outer !== undefined && inner.right <= outer.right && element.scrollWidth <= element.clientWidth + 1
      );
    });
    expect(isWhole).toBe(true);
    await page.context().close();
  });

  test('the keyboard walks the graph and opens a task', async () => {
    const { page } = await stage.open(`/runs/${seeded.succeededRun}`);
    const graph = page.getByRole('region', { name: 'Task graph' });
    await graph.getByRole('link', { name: 'land: Succeeded' }).focus();

    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');

    await page.getByRole('region', { name: 'Task silver' }).waitFor();
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(focused).toBe('silver: Succeeded');
    await page.context().close();
  });
});

async function startFlights(stage: Stage): Promise<number> {
  const response = await fetch(`${stage.mock.url}/api/2.2/jobs/run-now`, {
    method: 'POST',
    headers: { authorization: 'Bearer test', 'content-type': 'application/json' },
    body: JSON.stringify({ job_id: seeded.flightsJob }),
  });
  const { run_id } = (await response.json()) as { run_id: number };
  stage.mock.step(run_id);
  return run_id;
}
