import assert from 'node:assert/strict';

/**
 * A fetch with the rules that a browser has for a page of another origin of the same
 * site: it sends what a page can't change, keeps cookies from it, asks before what no
 * form could send, and shows it no answer that the server doesn't allow it.
 */
export function fetchAsPage(origin, fetch = globalThis.fetch) {
  let cookie;

  function allowed(response) {
    assert.equal(response.headers.get('access-control-allow-origin'), origin);
    assert.equal(response.headers.get('access-control-allow-credentials'), 'true');
  }

  return async (...args) => {
    const request = new Request(...args);
    const special = Array.from(request.headers)
      .filter(([name, value]) => !['accept', 'accept-language'].includes(name) && !isForm(name, value))
      .map(([name]) => name);
    if (special.length > 0) {
      const headers = {
        Origin: origin,
        'Access-Control-Request-Method': request.method,
        'Access-Control-Request-Headers': special.join(),
      };
      const preflight = await fetch(request.url, { method: 'OPTIONS', headers });
      assert.ok(preflight.ok);
      allowed(preflight);
      const names = preflight.headers.get('access-control-allow-headers').toLowerCase().split(/, */);
      assert.deepEqual(
        special.filter((name) => !names.includes(name)),
        [],
      );
    }
    request.headers.set('Origin', origin);
    request.headers.set('Sec-Fetch-Site', 'same-site');
    if (cookie && request.credentials === 'include') request.headers.set('Cookie', cookie);
    const response = await fetch(request);
    allowed(response);
    const [set] = response.headers.getSetCookie();
    if (set && request.credentials === 'include') [cookie] = set.split(';');
    return response;
  };
}

const isForm = (name, value) => name === 'content-type' && /^(multipart\/form-data|text\/plain)/.test(value);
