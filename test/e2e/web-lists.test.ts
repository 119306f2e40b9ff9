/** The UI's lists, sign-in and general manners, in a real browser over the fake API. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../packages/web/mock/seeded-world.ts';
import { hasChromium, openStage, type Stage } from '../support/browser.ts';

describe.skipIf(!hasChromium)('the UI', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage?.close());

  test('jobs are listed with their recent runs, and one click leads to the cause of a failure', async () => {
    const { page } = await stage.open('/');
    const row = page.getByRole('row', { name: /flights_daily/ });

    await row.getByRole('link', { name: `Run ${seeded.failedRun}: Failed` }).click();

    await page.getByRole('heading', { name: 'silver' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/runs/${seeded.failedRun}`);
    expect(await page.title()).toContain('Failed');
    await page.context().close();
  });

  test('Run now starts a run with the parameters given and shows it', async () => {
    const { page } = await stage.open(`/jobs/${seeded.flightsJob}`);

    await page.getByLabel('run_date').fill('2013-02-03');
    await page.getByRole('button', { name: 'Run now' }).click();

    await page.getByRole('button', { name: 'Cancel run' }).waitFor();
    await page.getByText('2013-02-03').waitFor();
    await page.context().close();
  });

  test('a refusal to start stands beside the button', async () => {
    const { page } = await stage.open('/jobs');
    const row = page.getByRole('row', { name: /refuses_to_start/ });

    await row.getByRole('button', { name: 'Run now' }).click();

    await row.getByRole('alert').filter({ hasText: 'Too many runs are queued' }).waitFor();
    await page.context().close();
  });

  test('runs are filtered and paged by the URL', async () => {
    const { page } = await stage.open(`/runs?job_id=${seeded.probeJob}`);
    await page.getByRole('heading', { name: 'Runs of probe' }).waitFor();
    const first = await page.getByRole('rowheader').first().textContent();

    await page.getByRole('link', { name: 'Older runs' }).click();
    await page.getByRole('link', { name: 'Newest runs' }).waitFor();
    await page.waitForFunction((text) => document.querySelector('tbody th')?.textContent !== text, first);
    await page.goBack();

    await page.waitForFunction((text) => document.querySelector('tbody th')?.textContent === text, first);
    await page.getByRole('link', { name: 'Active' }).click();
    await page.getByText('No runs here yet').waitFor();
    await page.context().close();
  });

  test('signed out, the page names the command that gives a new link; the link signs in', async () => {
    const { page } = await stage.open('/jobs', { isSignedIn: false });
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await page.getByText('headrace sign-in').waitFor();

    await page.goto('/api/headrace/sign-in?code=again');

    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await page.context().close();
  });

  test('what is not there is said in words', async () => {
    const { page } = await stage.open('/runs/7777777');
    await page.getByRole('heading', { name: 'There is no such run' }).waitFor();

    await page.goto('/nowhere');

    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await page.context().close();
  });

  test('the dark scheme is dark, and its text stands out', async () => {
    const { page } = await stage.open('/jobs', { colorScheme: 'dark' });
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();

    const [ground, text] = await page.evaluate(() => {
      const style = getComputedStyle(document.body);
      return [style.backgroundColor, style.color];
    });

    expect(contrast(ground ?? '', text ?? '')).toBeGreaterThan(4.5);
    expect(luminance(ground ?? '')).toBeLessThan(0.05);
    await page.context().close();
  });

  test('no request leaves the origin, and the page policy hinders nothing', async () => {
    const { page, requests, complaints } = await stage.open('/jobs');
    await page.getByRole('link', { name: /flights_daily/ }).click();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.goto(`/runs/${seeded.succeededRun}?task=publish`);
    await page.getByRole('img', { name: 'Output of this cell' }).waitFor();

    const elsewhere = requests.filter(
      (url) => !/^(data|about|blob):/.test(url) && !url.startsWith(stage.mock.url),
    );
    expect(elsewhere).toEqual([]);
    expect(requests.length).toBeGreaterThan(5);
    // The one script that was refused is the one in a notebook's HTML.
    expect(complaints.filter((text) => !text.includes("Blocked script execution in 'about:srcdoc'"))).toEqual(
      [],
    );
    await page.context().close();
  });
});

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map((text) => {
    const part = Number(text) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(first: string, second: string): number {
  const [dark = 0, light = 0] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
