import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, run, setup } from './docs.js';
import { assertImage, journey } from './journey.js';
import { fetchAsPage } from './page.js';

const newType = 'application/graphql-response+json';

/** Replaces the global fetch, by which all clients send, until the test ends. */
function replaceFetch(t, replacement) {
  const { fetch } = globalThis;
  globalThis.fetch = replacement;
  t.after(() => {
    globalThis.fetch = fetch;
  });
}

for (const [module, asksNewType] of [
  ['fetch.js', false],
  ['apollo.js', true],
  ['urql.js', true],
  ['graphql-request.js', true],
]) {
  test(`${module} in a program`, async (t) => {
    const { folder } = await setup(t);
    const { fetch } = globalThis;
    const exchanges = [];
    replaceFetch(t, async (input, init) => {
      const response = await fetch(input, init);
      exchanges.push({
        asked: new Headers(init.headers).get('accept') ?? '',
        got: response.headers.get('content-type'),
      });
      return response;
    });

    const { sessionToken } = await journey(join(folder, module));
    assert.notEqual(sessionToken, null);
    assert.notEqual(exchanges.length, 0);
    for (const { asked, got } of exchanges) {
      assert.equal(asked.startsWith(newType), asksNewType, asked);
      if (asksNewType) assert.match(got, /^application\/graphql-response\+json(;|$)/);
    }
  });

  test(`${module} in a page of another origin`, async (t) => {
    const origin = 'http://localhost:5173';
    const { folder } = await setup(t, { NAMEPLATE_CORS_ORIGINS: origin });
    replaceFetch(t, fetchAsPage(origin));
    const { sessionToken } = await journey(join(folder, module));
    assert.equal(sessionToken, null);
  });
}

test('curl.sh', async (t) => {
  if (!needs(t, 'curl')) return;
  const { folder } = await setup(t);
  const [refused, me, picture] = (await run(folder, 'curl.sh')).trim().split('\n').map(JSON.parse);
  assert.equal(refused.errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.deepEqual(me, { data: { me: { name: 'Alice' } } });
  const { user, userErrors } = picture.data.updateAvatar;
  assert.deepEqual(userErrors, []);
  assert.equal(user.hasAvatar, true);
  await assertImage(user.avatarUrl);
});
