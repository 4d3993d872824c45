import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { leash, start } from '../server.js';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/clients.md'), 'utf8');

// Its blocks of code by their names, each of which a test runs.
const files = new Map(
  Array.from(page.matchAll(/^(?:`(\S+)`\n)?```\w+\n(.*?)^```$/gms), ([, name, content]) => [name, content]),
);
assert.deepEqual(Array.from(files.keys()), [
  'operations.js',
  'session.js',
  'fetch.js',
  'curl.sh',
  'apollo.js',
  'urql.js',
  'graphql-request.js',
  'codegen.ts',
  'typed.ts',
  'tsconfig.json',
  'codegen.sh',
  'relay.config.json',
  'relay.js',
  'relay.sh',
  'genqlient.yaml',
  'main.go',
  'genqlient.sh',
]);

export const picture = resolve(import.meta.dirname, '../../docs/playground.png');

/** A server, and a folder with the files of docs/clients.md, which speak to it, and a picture. */
export async function setup(t, settings) {
  const { url, folder, stop } = await start(settings);
  t.after(stop);
  for (const [name, content] of files) {
    writeFileSync(join(folder, name), content.replaceAll('http://localhost:8080', url));
  }
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  symlinkSync(resolve(import.meta.dirname, 'node_modules'), join(folder, 'node_modules'));
  copyFileSync(picture, join(folder, 'me.png'));
  return { url, folder };
}

/** Runs a script of docs/clients.md and returns what it prints. */
export async function run(folder, script) {
  const env = { ...process.env, CURL_HOME: folder, no_proxy: '*', npm_config_offline: 'true' };
  const child = spawn('sh', ['-e', script], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  leash(child);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  assert.equal(code, 0, `${script} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

/** Whether the machine has a program. The test is skipped if not, or fails where none may be. */
export function needs(t, program) {
  if (spawnSync('sh', ['-c', `command -v ${program}`]).status === 0) return true;
  const message = `SKIPPED: ${t.name}: no ${program}`;
  if (process.env.TEST_REQUIRE_ALL === '1') throw new Error(message);
  console.error(message);
  t.skip(`no ${program}`);
  return false;
}
