// Fills dist/ with the pages that embed.go puts into the binary. The playground is
// Altair, as its package ships it; only its page is changed.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const altair = join(import.meta.dirname, 'node_modules/altair-static');
const playground = join(import.meta.dirname, 'dist/playground');

rmSync(playground, { recursive: true, force: true });
cpSync(join(altair, 'build/dist'), playground, {
  recursive: true,
  // The sandbox is a page that evaluates what any other page sends it.
  filter: (file) => !/\.(map|md)$|iframe-sandbox/.test(file),
});
cpSync(join(altair, 'LICENSE'), join(playground, 'LICENSE'));

// Addresses are relative to wherever the page is mounted, and the options come in a
// script of their own, so that the page needs no inline script.
let page = readFileSync(join(playground, 'index.html'), 'utf8');
for (const [from, to] of [
  ['<base href="/" />', '<base href="./" />'],
  ['<title>Altair</title>', '<title>Nameplate playground</title>'],
  ['</body>', '  <script type="module" src="init.js"></script>\n  </body>'],
]) {
  if (page.split(from).length !== 2) throw new Error(`Altair's index.html has no single ${from}`);
  page = page.replace(from, to);
}
writeFileSync(join(playground, 'index.html'), page);
