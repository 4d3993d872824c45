import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { transformFileSync } from '@babel/core';
import { needs, run, setup } from './docs.js';
import { journey } from './journey.js';

test('graphql-codegen', async (t) => {
  const { folder } = await setup(t);
  await run(folder, 'codegen.sh');
  await journey(join(folder, 'build/typed.js'));
});

test('relay-compiler', async (t) => {
  if (!needs(t, 'curl')) return;
  const { folder } = await setup(t);
  await run(folder, 'relay.sh');
  // What the application's bundler does: the tags become imports, found without their ".js".
  const { code } = transformFileSync(join(folder, 'relay.js'), { plugins: [['relay', { eagerEsModules: true }]] });
  writeFileSync(join(folder, 'relay.js'), code.replaceAll('.graphql"', '.graphql.js"'));
  await journey(join(folder, 'relay.js'));
});

test('genqlient', async (t) => {
  if (!needs(t, 'go') || !needs(t, 'curl')) return;
  const { url, folder } = await setup(t);
  for (const file of ['go.mod', 'go.sum']) {
    copyFileSync(resolve(import.meta.dirname, 'genqlient', file), join(folder, file));
  }
  const output = await run(folder, 'genqlient.sh');
  assert.match(output, new RegExp(`^UNAUTHENTICATED\nAlice ${url}/avatars/\\S+ \\d{4}-\\d\\d-\\d\\d .* UTC\n$`));
});
