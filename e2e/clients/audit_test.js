import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { start } from '../server.js';

test('the server follows GraphQL over HTTP', async (t) => {
  const server = await start();
  t.after(server.stop);
  const audits = serverAudits({ url: `${server.url}/graphql` });
  assert.equal(audits.length, 61);
  for (const { id, name, fn } of audits) {
    await t.test(`${id}: ${name}`, async () => {
      const { status, reason } = await fn();
      assert.equal(status, 'ok', reason);
    });
  }
});
