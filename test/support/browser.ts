/** A real browser for tests of the UI, over the UI's fake API and with the server's own page headers. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { contentSecurityPolicy } from '../../packages/server/src/http/static-files.ts';
import { type MockServer, startMockServer } from '../../packages/web/mock/server.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

export const hasChromium = existsSync(executablePath);
if (!hasChromium) console.log('skipped: no Chromium');

/** Generous: pages answer in a fraction of a second on an idle machine. */
const waitMs = 15_000;

export interface Stage {
  readonly mock: MockServer;
  /** A page of a fresh, signed-in session. */
  open(path: string, options?: OpenOptions): Promise<Visit>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly isSignedIn?: boolean;
  readonly colorScheme?: 'light' | 'dark';
}

export interface Visit {
  readonly page: Page;
  /** Addresses of requests, and what the console complained of. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
}

export async function openStage(): Promise<Stage> {
  const mock = await startMockServer({
    port: 0,
    pageHeaders: { 'content-security-policy': contentSecurityPolicy },
  });
  const browser = await launchChromium();
  return {
    mock,
    open: (path, options = {}) => openPage(browser, mock.url, path, options),
    close: async () => {
      await browser.close();
      await mock.stop();
    },
  };
}

/** Playwright gives it a profile folder of its own and removes it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

async function openPage(browser: Browser, url: string, path: string, options: OpenOptions): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: url,
    colorScheme: options.colorScheme ?? 'light',
    viewport: { width: 1_280, height: 900 },
    locale: 'en-GB',
  });
  const requests: string[] = [];
  const complaints: string[] = [];
  context.on('request', (request) => requests.push(request.url()));
  context.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.setDefaultTimeout(waitMs);
  const page = await context.newPage();
  if (options.isSignedIn ?? true) await page.goto('/api/headrace/sign-in?code=test', { waitUntil: 'commit' });
  await page.goto(path);
  return { page, requests, complaints };
}
