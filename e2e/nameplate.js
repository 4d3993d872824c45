import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test as base } from '@playwright/test';

export const chromium = process.env.CHROMIUM || '/usr/bin/chromium';
export const chromiumIsMissing = !existsSync(chromium);

const binary = resolve(import.meta.dirname, process.env.NAMEPLATE_BINARY || '../nameplate');

/**
 * Every test has a server and a data folder of its own, and a page that fails the test
 * if it asks another origin for anything, breaks the page's policy or logs an error.
 */
export const test = base.extend({
  server: async ({}, use, info) => {
    info.skip(chromiumIsMissing, `no Chromium at ${chromium}`);
    const data = mkdtempSync(join(tmpdir(), 'nameplate-e2e-'));
    // Nothing of the caller's own NAMEPLATE_* settings, which may name a real database.
    const env = { NAMEPLATE_ADDR: '127.0.0.1:0', NAMEPLATE_DATA: data };
    const child = spawn(binary, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const exited = once(child, 'exit');

    const log = [];
    const url = await new Promise((serving, failed) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        log.push(line);
        const match = /msg=serving url=(\S+)/.exec(line);
        if (match) serving(match[1]);
      });
      exited.then(([code]) => failed(new Error(`${binary} ended with ${code}:\n${log.join('\n')}`)), failed);
    });
    await use({ url, log });

    child.kill('SIGTERM');
    const [code] = await exited;
    rmSync(data, { recursive: true });
    expect(code, `exit code after SIGTERM; its log:\n${log.join('\n')}`).toBe(0);
  },

  baseURL: ({ server }, use) => use(server.url),

  page: async ({ page, server }, use) => {
    const foreign = [];
    const errors = [];
    const { origin } = new URL(server.url);
    await page.context().route(
      (url) => url.origin !== origin,
      (route) => {
        foreign.push(route.request().url());
        return route.abort();
      },
    );
    // A refused eval that the page needed is an error of its own; the playground's schema
    // library tries one only to see whether it may.
    await page.addInitScript(() =>
      addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
        if (blockedURI !== 'eval') console.error(`policy: ${effectiveDirective} refused ${blockedURI}`);
      }),
    );
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await use(page);
    expect(foreign, 'requests to other origins').toEqual([]);
    expect(errors, 'errors and policy violations in the page').toEqual([]);
  },
});

export { expect };
