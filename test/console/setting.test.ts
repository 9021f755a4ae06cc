/** The settings of identity providers. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readIdentitySettings, type IdentitySettings } from '../../src/console/setting.ts'
import { SettingWrong } from '../../src/webhooks/webhook-settings.ts'

/** `localhost:8080` is a host that may have a private address. */
function read(text: string | undefined): IdentitySettings['signInProviders'] {
  return readIdentitySettings({
    TRENT_WEB_IDENTITY_HOSTS: 'localhost:8080',
    ...(text !== undefined && { TRENT_CONSOLE_SIGN_IN: text }),
  }).signInProviders
}
const least = 'issuer=https://login.example.com;client-id=trent'

test('providers are read with their defaults, and with every member', () => {
  const role = 'arn:aws:iam::111122223333:role/people/readers'
  const text =
    `Example:${least}, ` +
    'At home 2:issuer=http://localhost:8080/realms/a;client-id=a%2Cb;' +
    `client-secret-file=/etc/trent/a%3Bsecret;scope=openid email;role=${role}`
  assert.deepEqual(read(text), [
    {
      name: 'Example',
      issuer: 'https://login.example.com',
      clientId: 'trent',
      scope: 'openid',
    },
    {
      name: 'At home 2',
      issuer: 'http://localhost:8080/realms/a',
      clientId: 'a,b',
      scope: 'openid email',
      role,
      secretFile: '/etc/trent/a;secret',
    },
  ])
  assert.deepEqual(read(undefined), [])
})

test('everything that is not such a setting is refused with one line', () => {
  const wrong: Readonly<Record<string, RegExp>> = {
    [least]: /must be identity providers, separated by commas/,
    [`<b>:${least}`]: /must be identity providers/,
    [`a:${least},`]: /must be identity providers/,
    [`a:${least},a:${least}`]: /names a twice/,
    [`a:${least};secret=x`]: /has the members issuer, client-id, client-secret-file, scope, role/,
    [`a:${least};client-secret-file=secret`]: /client-secret-file= is an absolute path/,
    [`a:${least};client-id=x`]: /has one client-id=/,
    [`a:${least};role=%zz`]: /role= is not percent-encoded text/,
    'a:client-id=x': /issuer= is the https URL/,
    'a:issuer=https://login.example.com?x=1;client-id=x': /issuer= is the https URL/,
    'a:issuer=http://login.example.com;client-id=x': /only of a host in TRENT_WEB_IDENTITY_HOSTS/,
    'a:issuer=http://localhost:8081;client-id=x': /only of a host in TRENT_WEB_IDENTITY_HOSTS/,
    'a:issuer=https://login.example.com': /client-id= is 1 to 255 printable/,
    'a:issuer=https://login.example.com;client-id=a b': /client-id= is 1 to 255 printable/,
    [`a:${least};scope=email`]: /scope= is a list with openid/,
    [`a:${least};scope=openid  email`]: /scope= is a list with openid/,
    [`a:${least};role=people`]: /role= is the ARN of a role/,
    [`a:${least};role=arn:aws:iam::111122223333:user/alice`]: /role= is the ARN of a role/,
    [Array.from({ length: 9 }, (_, index) => `p${index}:${least}`).join(',')]:
      /at most 8 identity providers/,
  }
  for (const [text, message] of Object.entries(wrong)) {
    assert.throws(
      () => read(text),
      (error: unknown) => error instanceof SettingWrong && message.test(error.message),
      text,
    )
  }
})

test('hosts that may have private addresses are written as in URLs', () => {
  const hostsOf = (TRENT_WEB_IDENTITY_HOSTS: string): readonly string[] => [
    ...readIdentitySettings({ TRENT_WEB_IDENTITY_HOSTS }).webIdentityHosts,
  ]
  assert.deepEqual(hostsOf('localhost:8080, oidc.cluster.example,[::1]:1'), [
    'localhost:8080',
    'oidc.cluster.example',
    '[::1]:1',
  ])
  for (const text of ['', 'a,', 'https://a.example', 'A.example', 'a.example/x', 'a.example:443']) {
    assert.throws(
      () => hostsOf(text),
      (error: unknown) =>
        error instanceof SettingWrong &&
        error.message.startsWith('TRENT_WEB_IDENTITY_HOSTS must be hosts'),
      text,
    )
  }
})
