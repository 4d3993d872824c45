import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from '@playwright/test';
import { chromium, chromiumIsMissing } from './nameplate.js';
import { start } from './server.js';

test.skip(chromiumIsMissing, `no Chromium at ${chromium}`);

/** Another origin of the same site, to which a browser sends the cookie. */
async function servePage(html = '') {
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(html));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** What a script in the page reads, or the error that it gets. */
function ask(page, url, query) {
  return page.evaluate(
    async ([url, query]) => {
      try {
        const response = await fetch(`${url}/graphql`, {
          method: 'POST',
          credentials: 'include',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ query }),
        });
        return (await response.json()).data;
      } catch (error) {
        return error.name;
      }
    },
    [url, query],
  );
}

const rename = (name) => `mutation { updateName(input: { name: "${name}" }) { user { name } } }`;

test('a page of a listed origin uses the session, and one of another changes nothing', async ({ page, context }) => {
  const [app, evil] = await Promise.all([servePage(), servePage('<form method="post" enctype="text/plain"><input></form>')]);
  const server = await start({ NAMEPLATE_CORS_ORIGINS: app.origin });
  try {
    await page.goto(app.origin);
    const signUp = 'mutation { signUp(input: { name: "Alice", password: "a long walk in the rain" }) { user { name } sessionToken } }';
    expect(await ask(page, server.url, signUp)).toEqual({ signUp: { user: { name: 'Alice' }, sessionToken: null } });
    expect(await ask(page, server.url, rename('Bob'))).toEqual({ updateName: { user: { name: 'Bob' } } });

    const other = await context.newPage();
    await other.goto(evil.origin);
    expect(await ask(other, server.url, rename('Mallory'))).toBe('TypeError');
    // A form asks nobody first, and brings the cookie.
    await other.evaluate(
      ([url, body]) => {
        const form = document.querySelector('form');
        form.action = `${url}/graphql`;
        form.firstElementChild.name = body;
      },
      [server.url, JSON.stringify({ query: rename('Mallory') })],
    );
    const [answer] = await Promise.all([
      other.waitForResponse((response) => response.url().endsWith('/graphql')),
      other.evaluate(() => document.querySelector('form').submit()),
    ]);
    expect(answer.status()).toBe(403);
    expect((await answer.request().allHeaders()).cookie).toContain('nameplate_session=');
    const linking = await context.newPage();
    await linking.goto(evil.origin);
    const [link] = await Promise.all([
      linking.waitForResponse((response) => response.url().includes('/graphql?')),
      linking.evaluate((url) => location.assign(url), `${server.url}/graphql?query={me{name}}`),
    ]);
    expect(link.status()).toBe(403);

    expect(await ask(page, server.url, '{ me { name } }')).toEqual({ me: { name: 'Bob' } });
  } finally {
    await server.stop();
    app.close();
    evil.close();
  }
});
