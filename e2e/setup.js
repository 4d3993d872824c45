import { chromium, chromiumIsMissing } from './nameplate.js';

// Says once, before the tests, that all of them are going to be skipped.
export default () => {
  if (!chromiumIsMissing) return;
  const message = `SKIPPED: e2e, every browser test: no Chromium at ${chromium} (set CHROMIUM)`;
  if (process.env.TEST_REQUIRE_ALL === '1') throw new Error(message);
  console.error(message);
};
