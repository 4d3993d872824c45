import { existsSync } from 'node:fs';
import { expect, test as base } from '@playwright/test';
import { start } from './server.js';

export const chromium = process.env.CHROMIUM || '/usr/bin/chromium';
export const chromiumIsMissing = !existsSync(chromium);

/**
 * Every test has a server and a data folder of its own, and a page that fails the test
 * if it asks another origin for anything, breaks the page's policy or logs an error.
 */
export const test = base.extend({
  server: async ({}, use, info) => {
    info.skip(chromiumIsMissing, `no Chromium at ${chromium}`);
    const server = await start();
    await use(server);
    await server.stop();
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
