import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from './nameplate.js';
import { binary } from './server.js';

const old = 'a long walk in the rain';
const fresh = 'two mountains and a lake';

test.beforeEach(async ({ request }) => {
  expect(await enter(request, 'signUp', 'Ada Lovelace', old)).toEqual([]);
});

/** Signs up or in by the API, and returns the codes of what was wrong. */
async function enter(request, mutation, name, password) {
  const query = `mutation($name: String!, $password: String!) {
    ${mutation}(input: { name: $name, password: $password }) { userErrors { code } }
  }`;
  const response = await request.post('/graphql', { data: { query, variables: { name, password } } });
  const { data } = await response.json();
  return data[mutation].userErrors.map(({ code }) => code);
}

/** What the operator's command says to give to the user. */
async function makeLink(server) {
  const env = { NAMEPLATE_DATA: join(server.folder, 'data'), NAMEPLATE_PUBLIC_URL: server.url };
  const { stdout } = await promisify(execFile)(binary, ['user', 'reset-password', 'ada lovelace'], { env });
  return stdout.split('\n').find((line) => line.startsWith(server.url));
}

test('a link sets a new password once', async ({ page, request, server }, info) => {
  const link = await makeLink(server);
  const password = page.getByLabel('New password');
  const set = async (value) => {
    await password.fill(value);
    await page.keyboard.press('Enter');
  };

  await page.goto(link);
  await expect(page).toHaveURL(`${server.url}/reset-password`);
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Ada Lovelace');
  await expect(page.getByText('8 to 256 characters')).toBeVisible();
  await expect(password).toBeFocused();
  for (const [value, complaint] of [
    ['', 'This is required.'],
    ['rain', 'This needs at least 8 characters.'],
    ['password123', 'This password is too easy to guess.'],
  ]) {
    await set(value);
    await expect(page.getByText(complaint)).toBeVisible();
    await expect(password).toHaveAccessibleDescription(`${complaint} 8 to 256 characters`);
    await expect(password).toBeFocused();
  }
  await page.screenshot({ path: info.outputPath('refused.png') });

  await page.getByLabel('Show the password').check();
  await expect(password).toHaveAttribute('type', 'text');
  await page.getByLabel('Show the password').uncheck();
  await expect(password).toHaveAttribute('type', 'password');

  await set(fresh);
  await expect(page.getByText('You are signed in; all other sessions have ended.')).toBeVisible();
  await expect(password).toBeHidden();
  const names = (await page.context().cookies()).map(({ name }) => name);
  expect(names).toEqual(['nameplate_session']);
  expect(await enter(request, 'signIn', 'Ada Lovelace', old)).toEqual(['WRONG_CREDENTIALS']);
  expect(await enter(request, 'signIn', 'Ada Lovelace', fresh)).toEqual([]);

  // In the same tab, where only the fragment differs.
  await page.goto(link);
  await set('three rivers and a sea');
  await expect(page.getByText("This link can't be used")).toBeVisible();
  await expect(page).toHaveURL(`${server.url}/reset-password`);
  await page.screenshot({ path: info.outputPath('used.png') });
  expect(await enter(request, 'signIn', 'Ada Lovelace', fresh)).toEqual([]);
});

test('a link without its code is told of', async ({ page }) => {
  for (const fragment of ['', '#', '#name=Ada', '#code=ABC']) {
    await page.goto(`/reset-password${fragment}`);
    await expect(page.getByText('A part of the link is missing.')).toBeVisible();
    await expect(page.getByRole('textbox')).toHaveCount(0);
  }
});

test('a failure of the server is told of, and the form can be sent again', async ({ page, server }) => {
  await page.goto(await makeLink(server));
  let answer;
  await page.route('**/graphql', (route) => route.fulfill({ json: answer }));
  const fail = (code, extensions) => ({ errors: [{ message: '', extensions: { code, ...extensions } }], data: null });
  for (const [answered, words] of [
    [fail('RATE_LIMITED', { retryAfter: 1 }), 'Too many attempts. Try again in 1 second.'],
    [fail('RATE_LIMITED', { retryAfter: 61 }), 'Too many attempts. Try again in 2 minutes.'],
    [fail('SERVICE_UNAVAILABLE', { retryAfter: 30 }), 'The server is busy. Try again in 30 seconds.'],
    [
      fail('INTERNAL_SERVER_ERROR', { requestId: 'ABC' }),
      'Something went wrong on the server. Try again later. The operator can find out more by this number: ABC',
    ],
    ['none', "The server can't be reached. Check your connection, then try again."],
  ]) {
    answer = answered;
    await page.getByLabel('New password').fill(fresh);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await expect(page.locator('#problem')).toHaveText(words);
  }
  await page.unroute('**/graphql');
  await page.getByRole('button', { name: 'Set the password' }).click();
  await expect(page.getByText('You are signed in')).toBeVisible();
});

test.describe('in Chinese', () => {
  test.use({ locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 360, height: 640 } });

  test('the page and the messages are in the language of the browser, and fit on a phone', async ({ page, server }, info) => {
    await page.goto(await makeLink(server));
    await expect(page).toHaveTitle('设置新密码');
    await page.getByLabel('新密码').fill('rain');
    await page.getByRole('button', { name: '设置密码' }).click();
    await expect(page.getByText('至少需要 8 个字符。')).toBeVisible();
    await page.screenshot({ path: info.outputPath('phone.png') });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});
