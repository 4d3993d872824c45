const texts = {
  en: {
    title: 'Set a new password',
    name: 'Name',
    password: 'New password',
    show: 'Show the password',
    send: 'Set the password',
    limits: (least, most) => `${least} to ${most} characters`,
    done: 'The new password is set. You are signed in; all other sessions have ended. You can close this page.',
    incomplete: 'A part of the link is missing. Open the whole link as it was given to you.',
    unusable:
      "This link can't be used: it has been used already, has expired, or was replaced by a newer one. " +
      'If you have set a password by it, sign in with that. If not, ask for a new link.',
    tooOften: (when) => `Too many attempts. Try again ${when}.`,
    busy: (when) => `The server is busy. Try again ${when}.`,
    failed: 'Something went wrong on the server. Try again later.',
    requestId: (id) => `The operator can find out more by this number: ${id}`,
    unreachable: "The server can't be reached. Check your connection, then try again.",
  },
  zh: {
    title: '设置新密码',
    name: '名称',
    password: '新密码',
    show: '显示密码',
    send: '设置密码',
    limits: (least, most) => `${least} 至 ${most} 个字符`,
    done: '新密码已设置。您已登录，其他所有会话均已结束。您可以关闭此页面。',
    incomplete: '链接不完整。请打开您收到的完整链接。',
    unusable: '此链接无法使用：它已被使用、已过期，或已被更新的链接取代。如果您已通过它设置了密码，请用该密码登录；否则请索取新的链接。',
    tooOften: (when) => `尝试次数过多。请在${when}再试。`,
    busy: (when) => `服务器繁忙。请在${when}再试。`,
    failed: '服务器出错。请稍后再试。',
    requestId: (id) => `管理员可凭此编号查明原因：${id}`,
    unreachable: '无法连接服务器。请检查网络连接后再试。',
  },
};

// Of the languages that the server words its messages in, the one it will choose.
const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in texts) ?? 'en';
const text = texts[language];

const limitsQuery = /* GraphQL */ `
  {
    limits {
      password {
        minLength
        maxLength
      }
    }
  }
`;

const mutation = /* GraphQL */ `
  mutation ($input: ResetPasswordInput!) {
    resetPassword(input: $input) {
      userErrors {
        code
        message
      }
    }
  }
`;

const form = document.querySelector('form');
const [username, password, limits, show, problem, button, outcome] = [
  'name', 'password', 'limits', 'show', 'problem', 'send', 'outcome',
].map((id) => document.getElementById(id));

/** Throws if no answer comes, or something else than one, as from a proxy without its server. */
async function ask(query, variables) {
  // Not in the mode same-origin: there the page's referrer policy would make the Origin null.
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

/** A time from now in words, such as "in 5 minutes". */
function later(seconds) {
  const [unit, length] = seconds < 60 ? ['second', 1] : seconds < 3600 ? ['minute', 60] : ['hour', 3600];
  return new Intl.RelativeTimeFormat(language).format(Math.ceil(seconds / length), unit);
}

/** Words an error that isn't the input's. */
function explain({ extensions: { code, retryAfter, requestId } = {} }) {
  if (retryAfter) return (code === 'RATE_LIMITED' ? text.tooOften : text.busy)(later(retryAfter));
  return requestId ? `${text.failed} ${text.requestId(requestId)}` : text.failed;
}

function complain(words) {
  problem.textContent = words;
  password.focus();
}

/** Puts the last word in the form's place. */
function end(words) {
  form.remove();
  outcome.textContent = words;
  outcome.focus();
}

async function send(input) {
  const { data, errors } = await ask(mutation, { input });
  if (errors) return complain(explain(errors[0]));
  const { userErrors } = data.resetPassword;
  if (userErrors.length === 0) return end(text.done);
  if (userErrors.some(({ code }) => code === 'WRONG_CREDENTIALS')) return end(text.unusable);
  password.setAttribute('aria-invalid', 'true');
  complain(userErrors.map(({ message }) => message).join(' '));
}

document.documentElement.lang = language;
document.title = text.title;
for (const element of document.querySelectorAll('[data-text]')) element.textContent = text[element.dataset.text];

const { name, code } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
// Who looks at the screen or into the history later must not find the code.
history.replaceState(null, '', location.pathname);
// A link that is opened where the page is already doesn't load it again.
addEventListener('hashchange', () => location.hash && location.reload());

if (!name || !code) {
  end(text.incomplete);
} else {
  username.value = name;
  form.hidden = false;
  password.focus();
  ask(limitsQuery)
    .then(({ data }) => {
      const { minLength, maxLength } = data.limits.password;
      limits.textContent = text.limits(minLength, maxLength);
    })
    .catch(() => {}); // who breaks them is told
}

show.addEventListener('change', () => {
  password.type = show.checked ? 'text' : 'password';
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true; // also for the Enter key
  problem.textContent = '';
  password.removeAttribute('aria-invalid');
  try {
    await send({ name, code, newPassword: password.value });
  } catch {
    complain(text.unreachable);
  }
  button.disabled = false;
});
