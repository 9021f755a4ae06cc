import assert from 'node:assert/strict'
import { createHash, createHmac, createSecretKey } from 'node:crypto'
import test from 'node:test'
import { authenticate, type Authenticated } from '../../src/authenticate/signature-v4.ts'
import { createSigningKeys } from '../../src/authenticate/signing-keys.ts'
import type { RawRequest } from '../../src/wire/request.ts'
import { enter, minute, regions, unknown, wrong } from './enter.ts'
import {
  credential,
  headerOf,
  rawRequest,
  secretAccessKey,
  signed,
  signedAt,
  withHeader,
  type Signing,
} from './signer.ts'
import type { Credential } from '../../src/authenticate/credential.ts'

for (const form of ['header', 'presigned'] as const) {
  test(`a ${form} signature of the SDK's signer proves a root user`, async () => {
    assert.deepEqual(await enter(await signed({ form })), {
      caller: {
        kind: 'root',
        accountId: '111122223333',
        arn: 'arn:aws:iam::111122223333:root',
        uniqueId: '111122223333',
        accessKeyId: 'AKIDEXAMPLE',
      },
      region: 'us-west-2',
      partition: 'aws',
      lookups: 1,
    })
  })

  test(`a ${form} signature covers path, query and odd header values`, async () => {
    const signing: Signing = {
      form,
      method: 'PUT',
      path: '/a%20b//c/../$d',
      query: { b: 'x y+z~', a: '\u00e9', B: '' },
      headers: { 'my-header': '  two   blanks ', 'x-amz-extra': '1' },
      body: '',
    }
    assert.equal((await enter(await signed(signing))).region, 'us-west-2')
  })

  test(`a ${form} signature in another partition gives its ARN`, async () => {
    const { caller, region, partition } = await enter(await signed({ form, region: 'cn-north-1' }))
    assert.deepEqual([region, partition], ['cn-north-1', 'aws-cn'])
    assert.equal(caller.arn, 'arn:aws-cn:iam::111122223333:root')
    const own = await enter(await signed({ form, region: 'moon-north-2' }))
    assert.equal(own.caller.arn, 'arn:aws-moon:iam::111122223333:root')
  })

  test(`a ${form} signature that is wrong is InvalidSignature, whatever differs`, async () => {
    const request = await signed({ form })
    await enter(request)
    const changed: readonly RawRequest[] = [
      { ...request, body: Buffer.from('{}') },
      { ...request, method: 'PUT' },
      { ...request, target: request.target.replace('/', '/x') },
      { ...request, target: `${request.target}${form === 'header' ? '?' : '&'}x=1` },
      withHeader(request, 'host', 'elsewhere'),
      withHeader(request, 'x-amz-target', 'TrentService.Decrypt'),
      await signed({ form, secret: 'another secret' }),
    ]
    for (const other of changed) await assert.rejects(enter(other), { ...wrong, lookups: 1 })
  })

  test(`a ${form} signature's scope must be right, and AWS says all that is not`, async () => {
    const region = "Credential should be scoped to a valid region, not 'eu-east-9'."
    const service = "Credential should be scoped to correct service: 'kms'."
    const cases: readonly [Signing, string][] = [
      [{ region: 'eu-east-9' }, region],
      [{ service: 'sts' }, service],
      [{ region: 'eu-east-9', service: 'sts' }, `${region} ${service}`],
    ]
    for (const [signing, message] of cases) {
      const refusal = { code: 'InvalidSignatureException', message, lookups: 0 }
      await assert.rejects(enter(await signed({ form, ...signing })), refusal)
    }
    const scopes: readonly [RegExp, string, string][] = [
      [
        /20261120(?=(\/|%2F)us)/,
        '20261119',
        'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from ' +
          "HTTP: '20261119' != '20261120', from '20261120T081530Z'.",
      ],
      [
        /aws4_request/,
        'aws5_request',
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.",
      ],
    ]
    const request = await signed({ form })
    for (const [pattern, replacement, message] of scopes) {
      const authorization = headerOf(request, 'authorization').replace(pattern, replacement)
      const other =
        form === 'header'
          ? withHeader(request, 'authorization', authorization)
          : { ...request, target: request.target.replace(pattern, replacement) }
      await assert.rejects(enter(other), { code: 'InvalidSignatureException', message, lookups: 0 })
    }
  })

  test(`a ${form} signature of a key that is unknown, inactive or used with a token is refused`, async () => {
    const inactive: Credential = { ...credential, status: 'Inactive' }
    const request = await signed({ form })
    await enter(request)
    await assert.rejects(enter(request, { credentials: [] }), unknown)
    await assert.rejects(enter(request, { credentials: [inactive] }), unknown)
    // Neither says whether the signature was right.
    const other = await signed({ form, secret: 'another secret' })
    await assert.rejects(enter(other, { credentials: [inactive] }), unknown)
    await assert.rejects(enter(await signed({ form, sessionToken: 'token' })), unknown)
  })

  test(`a ${form} signature of a key id that none can be is refused without a look-up`, async () => {
    for (const accessKeyId of ['a'.repeat(129), 'ab', 'a b', '\u00e9\u00e9\u00e9']) {
      const request = await signed({ form: 'presigned', accessKeyId })
      await assert.rejects(enter(request), { ...unknown, lookups: 0 }, accessKeyId)
    }
    const accessKeyId = 'a'.repeat(128)
    const longest = { ...credential, accessKeyId }
    await enter(await signed({ form, accessKeyId }), { credentials: [longest] })
  })

  test(`a ${form} signature may come five minutes early, and no more`, async () => {
    const request = await signed({ form })
    await enter(request, { systemNow: signedAt - 5 * minute })
    await assert.rejects(enter(request, { systemNow: signedAt - 5 * minute - 1000 }), {
      code: 'InvalidSignatureException',
      message:
        'Signature not yet current: 20261120T081530Z is still later than 20261120T081529Z ' +
        '(20261120T081029Z + 5 min.)',
      lookups: 0,
    })
  })

  test(`a ${form} request that gives its body's hash must give the right one`, async () => {
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
    const right = { 'x-amz-content-sha256': hash('body') }
    await enter(await signed({ form, body: 'body', headers: right }))
    for (const text of [hash('another'), hash('body').toUpperCase(), '']) {
      const headers = { 'x-amz-content-sha256': text }
      await assert.rejects(enter(await signed({ form, body: 'body', headers })), wrong)
    }
  })
}

test('a user is proved by name, and one without a name is a fault of ours', async () => {
  const user = { ...credential, principalKind: 'user', principalId: 'AIDAEXAMPLE' } as const
  const request = await signed()
  const { caller } = await enter(request, { credentials: [{ ...user, userName: 'ada' }] })
  assert.equal(caller.arn, 'arn:aws:iam::111122223333:user/ada')
  assert.deepEqual([caller.kind, caller.userName, caller.uniqueId], ['user', 'ada', 'AIDAEXAMPLE'])
  await assert.rejects(enter(request, { credentials: [user] }), /has no name/)
})

test('a look-up that answers with another key, or fails, lets nobody in', async () => {
  const request = await signed()
  const expected = { service: 'kms', regions, systemNow: signedAt }
  const other = { ...credential, accessKeyId: 'akidexample' }
  const keys = createSigningKeys(1)
  await assert.rejects(
    async () => authenticate(request, expected, () => Promise.resolve(other), keys),
    unknown,
  )
  const outage = new Error('no store')
  await assert.rejects(
    async () => authenticate(request, expected, () => Promise.reject(outage), keys),
    outage,
  )
})

test('a header signature is good for five minutes', async () => {
  const request = await signed()
  await enter(request, { systemNow: signedAt + 5 * minute + 999 })
  await assert.rejects(enter(request, { systemNow: signedAt + 5 * minute + 1000 }), {
    code: 'InvalidSignatureException',
    message:
      'Signature expired: 20261120T081530Z is now earlier than 20261120T081531Z ' +
      '(20261120T082031Z - 5 min.)',
    lookups: 0,
  })
})

test('a presigned request is good for as long as X-Amz-Expires says', async () => {
  const code = 'InvalidSignatureException'
  const cases: readonly [number, string][] = [
    [1, '(20261120T081532Z - 1 sec.)'],
    [600, '(20261120T082531Z - 10 min.)'],
    [604_800, '(20261127T081531Z - 10080 min.)'],
  ]
  for (const [expiresIn, bound] of cases) {
    const request = await signed({ form: 'presigned', expiresIn })
    await enter(request, { systemNow: signedAt + expiresIn * 1000 })
    const late = enter(request, { systemNow: signedAt + expiresIn * 1000 + 1000 })
    const sentence = 'Signature expired: 20261120T081530Z is now earlier than 20261120T081531Z'
    await assert.rejects(late, { code, message: `${sentence} ${bound}` })
  }
})

test('a signature of another form is wrong, not malformed', async () => {
  const request = await signed()
  for (const signature of ['0', 'x'.repeat(64), '0'.repeat(63), '0'.repeat(65)]) {
    const text = headerOf(request, 'authorization').replace(/\w+$/, signature)
    await assert.rejects(enter(withHeader(request, 'authorization', text)), wrong)
  }
  const upper = headerOf(request, 'authorization').replace(/\w+$/, (hex) => hex.toUpperCase())
  await assert.rejects(enter(withHeader(request, 'authorization', upper)), wrong)
})

test('an access key whose secret changes is checked against the new secret at once', async () => {
  const keys = createSigningKeys(10)
  const expected = { service: 'kms', regions, systemNow: signedAt }
  const old = await signed()
  const come = async (request: RawRequest, one: Credential): Promise<Authenticated> =>
    authenticate(request, expected, () => Promise.resolve(one), keys)
  await come(old, credential)
  const signingSecret = createSecretKey(Buffer.from('AWS4changed'))
  const changed = { ...credential, signingSecret }
  await assert.rejects(come(old, changed), wrong)
  await come(await signed({ secret: 'changed' }), changed)
  await assert.rejects(come(await signed({ secret: 'changed' }), credential), wrong)
})

test('no refusal tells the secret, the right signature or what was signed', async () => {
  const request = await signed()
  const right = /Signature=(\w+)/.exec(headerOf(request, 'authorization'))?.[1] ?? ''
  const text = headerOf(request, 'authorization').replace(right, '0'.repeat(64))
  const error = await enter(withHeader(request, 'authorization', text)).catch((thrown) => thrown)
  const all = JSON.stringify([String(error), error.stack, Object.values(error)])
  for (const part of [right, 'wJalrXUtnFEMI', 'TrentService']) assert.ok(!all.includes(part), part)
})

test('a request with a Date header and no X-Amz-Date is taken, in either form of a date', async () => {
  const hmac = (key: string | Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest()
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  const scope = '20261120/us-west-2/kms/aws4_request'
  for (const date of ['Fri, 20 Nov 2026 08:15:30 GMT', '20261120T081530Z']) {
    // Written out, as the SDK's signer knows X-Amz-Date alone.
    const canonical = `POST\n/\n\ndate:${date}\nhost:h\n\ndate;host\n${sha256('{}')}`
    const text = `AWS4-HMAC-SHA256\n20261120T081530Z\n${scope}\n${sha256(canonical)}`
    let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`)
    for (const part of scope.split('/')) key = hmac(key, part)
    const authorization =
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=date;host, ` +
      `Signature=${hmac(key, text).toString('hex')}`
    const rawHeaders = ['Host', 'h', 'Date', date, 'Authorization', authorization]
    const parts = { method: 'POST', target: '/', rawHeaders, body: Buffer.from('{}') }
    assert.equal((await enter(rawRequest(parts))).region, 'us-west-2')
    const later = withHeader(rawRequest(parts), 'Date', 'Fri, 20 Nov 2026 08:15:31 GMT')
    await assert.rejects(enter(later), wrong)
  }
})
