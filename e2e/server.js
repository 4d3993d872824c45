import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const binary = resolve(import.meta.dirname, process.env.NAMEPLATE_BINARY || '../nameplate');

/**
 * Starts a server on a free port. Its folder has its data, has room for the test's own
 * files, and is gone with the server.
 */
export async function start(settings) {
  const folder = mkdtempSync(join(tmpdir(), 'nameplate-e2e-'));
  // Nothing of the caller's own NAMEPLATE_* settings, which may name a real database.
  const env = { NAMEPLATE_ADDR: '127.0.0.1:0', NAMEPLATE_DATA: join(folder, 'data'), ...settings };
  const child = spawn(binary, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit').finally(() => rmSync(folder, { recursive: true }));
  leash(child, folder);

  const log = [];
  const url = await new Promise((serving, failed) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.push(line);
      const match = /msg=serving url=(\S+)/.exec(line);
      if (match) serving(match[1]);
    });
    exited.then(([code]) => failed(new Error(`${binary} ended with ${code}:\n${log.join('\n')}`)), failed);
  });

  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await exited;
    assert.equal(code, 0, `exit code after SIGTERM; its log:\n${log.join('\n')}`);
  };
  return { url, log, folder, stop };
}

/**
 * Lets no process outlive this one, however this one ends: a shell that waits for that
 * kills the detached child, with all that it started, and removes the folders.
 */
export function leash(child, ...folders) {
  const script = 'read -r _; kill -s KILL -- "-$0"; rm -rf "$@"';
  const watcher = spawn('sh', ['-c', script, String(child.pid), ...folders], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.unref();
  watcher.stdin.unref();
  child.once('exit', () => watcher.kill());
}
