/** The setting of HSM clusters. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readHsmClusters } from '../../../src/keystores/hsm/settings.ts'
import { SettingWrong } from '../../../src/webhooks/webhook-settings.ts'

const anchor = fileURLToPath(new URL('../../vectors/trust-anchors/1.pem', import.meta.url))
const least = `library=/usr/lib/hsm.so;token=kms;trust-anchor=${anchor}`

test('clusters are read with their defaults, and with every member', () => {
  const clusters = readHsmClusters(
    `cluster-234567abcde:${least}, ` +
      `cluster-ABCDEFGHijk:library=/opt/a%2Cb.so;slot=7;trust-anchor=${anchor};iv=token;` +
      'rotate-pin=yes;hsms=1;user=kmsuser;account=111122223333',
  )
  const [one, other] = [...clusters.values()]
  assert.deepEqual(one, {
    clusterId: 'cluster-234567abcde',
    place: { library: '/usr/lib/hsm.so', label: 'kms' },
    trustAnchor: one?.trustAnchor,
    iv: 'we',
    rotatesPin: false,
    hsms: 2,
  })
  assert.match(one?.trustAnchor ?? '', /^[0-9a-f]{64}$/)
  assert.deepEqual(other, {
    clusterId: 'cluster-ABCDEFGHijk',
    place: { library: '/opt/a,b.so', slot: 7 },
    trustAnchor: one?.trustAnchor,
    iv: 'token',
    rotatesPin: true,
    hsms: 1,
    user: 'kmsuser',
    accountId: '111122223333',
  })
  assert.equal(readHsmClusters(undefined).size, 0)
})

test('everything that is not such a setting is refused with one line', () => {
  const id = 'cluster-234567abcde'
  const wrong: Readonly<Record<string, RegExp>> = {
    [least]: /must be clusters, separated by commas/,
    [`cluster-1la23b4cdefg:${least}`]: /must be clusters/,
    [`${id}:${least},`]: /must be clusters/,
    [`${id}:${least},${id}:${least}`]: /names cluster-234567abcde twice/,
    [`${id}:${least};pin=1234`]: /has the members library, token, slot/,
    [`${id}:${least};`]: /has the members/,
    [`${id}:${least};token=other`]: /has one token=/,
    [`${id}:${least};slot=1`]: /by token= \(its label\) or by slot=/,
    [`${id}:library=/a;trust-anchor=${anchor}`]: /by token= \(its label\) or by slot=/,
    [`${id}:library=a;token=kms;trust-anchor=${anchor}`]: /absolute path of a PKCS #11 library/,
    [`${id}:library=/a;slot=x;trust-anchor=${anchor}`]: /slot= is a number/,
    [`${id}:library=/a;token=%zz;trust-anchor=${anchor}`]: /not percent-encoded text/,
    [`${id}:${least};iv=us`]: /iv= is we or token/,
    [`${id}:${least};rotate-pin=maybe`]: /rotate-pin= is yes or no/,
    [`${id}:${least};hsms=29`]: /hsms= is a number from 0 to 28/,
    [`${id}:${least};hsms=-1`]: /hsms= is a number from 0 to 28/,
    [`${id}:${least};user=a:b`]: /user= is 1 to 31 letters/,
    [`${id}:${least};account=1`]: /account= is twelve digits/,
    [`${id}:library=/a;token=kms`]: /trust-anchor= is the absolute path/,
    [`${id}:library=/a;token=kms;trust-anchor=/nowhere`]: /\/nowhere cannot be read/,
    [`${id}:library=/a;token=kms;trust-anchor=/etc/hostname`]: /no certificate in PEM/,
  }
  for (const [text, message] of Object.entries(wrong)) {
    assert.throws(
      () => readHsmClusters(text),
      (error) => {
        assert.ok(error instanceof SettingWrong, text)
        assert.match(error.message, message)
        assert.match(error.message, /^TRENT_HSM_CLUSTERS/)
        return true
      },
    )
  }
})
