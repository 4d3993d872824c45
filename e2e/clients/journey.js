import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { picture } from './docs.js';

const file = new File([readFileSync(picture)], 'me.png');
const { fetch } = globalThis; // tests replace it for the clients

/**
 * What an application does, by a module of docs/clients.md: it is refused without a
 * session, signs up, reads who that is, and sets a picture where the client can.
 * Returns the first sign-up's answer.
 */
export async function journey(module) {
  const { codeOf, me, setPicture, signUp } = await import(pathToFileURL(module));
  const refused = (call, code) =>
    assert.rejects(call, (error) => {
      assert.equal(codeOf(error), code);
      return true;
    });
  const codes = ({ userErrors }) => userErrors.map(({ code }) => code);

  await refused(me(), 'UNAUTHENTICATED');
  if (setPicture) await refused(setPicture(file), 'UNAUTHENTICATED');
  await refused(signUp(undefined, 'correct horse battery'), 'GRAPHQL_VALIDATION_FAILED');
  const short = await signUp('A', 'horse');
  assert.equal(short.user, null);
  assert.deepEqual(codes(short), ['TOO_SHORT', 'TOO_SHORT']);
  assert.deepEqual(short.userErrors[1].field, ['input', 'password']);

  const alice = await signUp('Alice', 'correct horse battery');
  assert.deepEqual(alice.userErrors, []);
  assert.equal(alice.user.name, 'Alice');
  const before = await me();
  assert.equal(before.name, 'Alice');
  assert.equal(before.hasAvatar, false);
  await assertImage(before.avatarUrl);

  if (setPicture) {
    assert.deepEqual(codes(await setPicture(new File(['no picture'], 'me.png'))), ['IMAGE_UNSUPPORTED']);
    const { user, userErrors } = await setPicture(file);
    assert.deepEqual(userErrors, []);
    assert.equal(user.hasAvatar, true);
    await assertImage(user.avatarUrl);
    const after = await me();
    assert.equal(after.hasAvatar, true);
    assert.equal(after.avatarUrl, user.avatarUrl);
    assert.notEqual(after.avatarUrl, before.avatarUrl);
  }
  assert.deepEqual(codes(await signUp('ALICE', 'another horse battery')), ['NAME_TAKEN']);
  assert.equal((await me()).name, 'Alice');
  return alice;
}

export async function assertImage(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^image\//);
  assert.notEqual((await response.arrayBuffer()).byteLength, 0);
}
