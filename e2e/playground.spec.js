import { expect, test } from './nameplate.js';

test('the playground signs up, asks who that is and uploads a picture', async ({ page }, info) => {
  const line = (text) => page.locator('app-query-editor .cm-line', { hasText: text });
  const result = page.locator('app-query-result .cm-content');
  const open = (tab) => page.locator('app-window-switcher').getByText(tab, { exact: true }).click();
  const send = () => page.keyboard.press('ControlOrMeta+Enter');

  const introspection = page.waitForRequest((request) => request.postData()?.includes('__schema'));
  await page.goto('/playground');
  const question = await introspection;
  const schema = await (await page.request.post(question.url(), { data: question.postDataJSON() })).json();
  expect(schema.errors, 'errors of the introspection').toBeUndefined();
  expect(schema.data.__schema.types.map(({ name }) => name)).toContain('User');
  await line('signUp(input').click();
  await page.keyboard.press('Shift+Home');
  await page.keyboard.insertText('signUp(input: { name: "ada", password: "a long walk in the rain" }) {');
  await send();
  await expect(result).toContainText('"userErrors": []');
  const session = (await page.context().cookies()).find(({ name }) => name === 'nameplate_session');
  expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax' });

  await open('Me');
  await line('query Me').click();
  await send();
  await expect(result).toContainText('"name": "ada"');
  await page.screenshot({ path: info.outputPath('me.png') });

  await open('Upload a picture');
  await page.locator('.variables-editor--title').click();
  await page.getByRole('button', { name: 'Add files' }).click();
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Select files', exact: true }).click();
  await (await choosing).setFiles({ name: 'me.png', mimeType: 'image/png', buffer: await picture(page) });
  await line('updateAvatar').click();
  await send();
  await expect(result).toContainText('"hasAvatar": true');
  await page.screenshot({ path: info.outputPath('upload.png') });

  const [, avatarUrl] = /"avatarUrl": "(.*?)"/.exec(await result.innerText());
  const avatar = await page.request.get(avatarUrl);
  expect(avatar.status()).toBe(200);
  expect(avatar.headers()['content-type']).toMatch(/^image\//);
});

/** A PNG that the browser draws. */
async function picture(page) {
  const url = await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 320;
    canvas.height = 200;
    const ink = canvas.getContext('2d');
    ink.fillStyle = 'teal';
    ink.fillRect(80, 40, 160, 120);
    return canvas.toDataURL('image/png');
  });
  return Buffer.from(url.split(',')[1], 'base64');
}
